import { messageOf } from '../../util/errors.ts';
import { createRedactor } from '../../util/redaction.ts';
import { ToolFailure } from '../tool-failure.ts';
import { toLine } from './plain-text.ts';
import type { Fetch, SearchCall, SearchProvider } from './provider.ts';

const MAX_WORDS_OF_OTHERS = 300;

/**
 * Sends a call and gives the JSON of its answer.
 *
 * @throws ToolFailure `http` if the service cannot be reached or answers with an error, `protocol` if the answer is
 * not JSON; what `fetch` throws as a ToolFailure as it is. After an abort: the signal's reason.
 */
export async function ask(
  {
    provider,
    call,
    fetch,
  }: { readonly provider: SearchProvider; readonly call: SearchCall; readonly fetch: Fetch },
  signal: AbortSignal,
): Promise<unknown> {
  const { status, ok, body } = await send();
  if (!ok) throw new ToolFailure('http', toMessage(provider, status, body), { code: status });
  try {
    return JSON.parse(body);
  } catch {
    throw new ToolFailure('protocol', `The answer of ${provider.name} is not JSON.`); // its error would quote it
  }

  async function send() {
    try {
      const response = await fetch(call.url, { ...call.init, signal });
      return { status: response.status, ok: response.ok, body: await response.text() };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw toFailure(provider, error);
    }
  }
}

function toFailure({ name, secrets }: SearchProvider, error: unknown): ToolFailure {
  const redact = createRedactor(secrets);
  let code = '';
  // A key that cannot stand in a header is quoted in the error that says so; `data` is what the server has sent.
  let isSafe = redact(messageOf(error)) === messageOf(error);
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof ToolFailure) return current;
    if ('code' in current && typeof current.code === 'string') code = ` (${current.code})`;
    isSafe &&= redact(current.message) === current.message && !('data' in current);
  }
  return new ToolFailure('http', `${name} could not be reached${code}.`, isSafe ? { cause: error } : {});
}

function toMessage(provider: SearchProvider, status: number, body: string): string {
  const redact = createRedactor(provider.secrets); // before anything is cut: half a key is a secret as well
  const words = provider.hint(status) ?? toLine(redact(wordsOf(body)), MAX_WORDS_OF_OTHERS);
  const answered = `${provider.name} answered with HTTP status ${status}`;
  return words === '' ? `${answered}.` : `${answered}: ${words.replace(/\.$/, '')}.`;
}

/** What an error body says in words. A web page says nothing. */
function wordsOf(body: string): string {
  try {
    return wordsIn(JSON.parse(body), 4);
  } catch {
    return body.trimStart().startsWith('<') ? '' : body;
  }
}

/** Brave has them in `error.detail`, Tavily in `detail.error`, proxies in `message` or `error`. */
function wordsIn(value: unknown, depth: number): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || depth === 0) return '';
  if (Array.isArray(value)) return wordsIn(value[0], depth - 1);
  for (const [key, inner] of Object.entries(value)) {
    if (!['detail', 'error', 'message', 'errors', 'msg'].includes(key)) continue;
    const words = wordsIn(inner, depth - 1);
    if (words !== '') return words;
  }
  return '';
}
