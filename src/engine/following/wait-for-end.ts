import { type Follow, type Following, followResponse } from './follow-response.ts';

/** Resolves when a response has ended, wherever it runs; earlier if `signal` aborts. */
export async function waitForEnd(following: Following, follow: Follow, signal: AbortSignal): Promise<void> {
  const batches = followResponse(following, follow);
  const leave = () => void batches.return().catch(() => {}); // whoever reads the batches meets the error
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  try {
    for await (const _ of batches); // its last batch holds the terminal event
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
