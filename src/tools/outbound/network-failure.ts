import { messageOf } from '../../util/errors.ts';
import { ToolFailure } from '../tool-failure.ts';

const LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
const UNREACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);

/**
 * What went wrong on the way to `url` or back, in one sentence that names host and port: fetch itself only ever
 * says "fetch failed". A ToolFailure somewhere among the causes is given back as it is.
 */
export function toNetworkFailure(error: unknown, url: URL): ToolFailure {
  const root = rootOf(error);
  if (root instanceof ToolFailure) return root;
  // By name, as the platform's fetch has a class of its own for it.
  if (root instanceof Error && root.name === 'HTTPParserError') {
    // Without the cause: it holds what the server sent, which may be a secret that it was sent.
    return new ToolFailure('protocol', `The answer of ${placeOf(url)} is not HTTP.`);
  }
  // undici gives some of its refusals no words, e.g. that of a 407.
  const { type, message } = describe(codeOf(root) ?? (messageOf(root) || 'no reason is known'), placeOf(url));
  return new ToolFailure(type, message, { cause: error });
}

/** Host and port, e.g. `example.com:443`. */
export function placeOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

function describe(code: string, place: string): Pick<ToolFailure, 'type' | 'message'> {
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return { type: 'timeout', message: `Could not connect to ${place} in time.` };
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return { type: 'timeout', message: `${place} did not answer in time.` };
  }
  if (code === 'UND_ERR_DESTROYED') {
    return {
      type: 'http',
      message: `The request to ${place} was given up, because this server is stopping.`,
    };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return { type: 'http', message: `Could not find the address of ${place}: ${code}.` };
  }
  if (UNREACHED.has(code)) return { type: 'http', message: `Could not connect to ${place}: ${code}.` };
  if (LOST.has(code)) return { type: 'http', message: `The connection to ${place} was lost: ${code}.` };
  return { type: 'http', message: `The request to ${place} failed: ${code}.` };
}

/** The first of the causes that says something: a failure of ours, or an error with a code; else the last. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) {
    if (root instanceof ToolFailure || codeOf(root) !== null) break;
    root = root.cause;
  }
  return root;
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
