import { messageOf } from '../../util/errors.ts';
import { ToolFailure } from '../tool-failure.ts';
import { cut, toLine } from './plain-text.ts';
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
  let code = '';
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof ToolFailure) return current;
    if ('code' in current && typeof current.code === 'string') code = ` (${current.code})`;
  }
  // A key that cannot stand in a header is quoted in the error that says so.
  const isSafe = redact(messageOf(error), secrets) === messageOf(error);
  return new ToolFailure('http', `${name} could not be reached${code}.`, isSafe ? { cause: error } : {});
}

function toMessage(provider: SearchProvider, status: number, body: string): string {
  const words = provider.hint(status) ?? toLine(redact(wordsOf(body), provider.secrets), MAX_WORDS_OF_OTHERS);
  const answered = `${provider.name} answered with HTTP status ${status}`;
  return words === '' ? `${answered}.` : `${answered}: ${words.replace(/\.$/, '')}.`;
}

/** Before anything is cut: half a key is a secret as well. */
function redact(text: string, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) if (secret !== '') safe = safe.replaceAll(secret, '[redacted]');
  return safe;
}

/** What an error body says in words. A web page says nothing. */
function wordsOf(body: string): string {
  try {
    return wordsIn(JSON.parse(body), 4);
  } catch {
    return body.trimStart().startsWith('<') ? '' : cut(body, 10_000);
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
