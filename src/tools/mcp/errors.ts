import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { messageOf } from '../../util/errors.ts';
import { ToolFailure } from '../tool-failure.ts';
import { isAnswerTo } from './messages.ts';

/** A server no longer knows the session, and may be asked again in another. `cause` is what it answered. */
export class SessionGone extends Error {
  override readonly name = 'SessionGone';
}

const MAX_WORDS = 300;
const MAX_MESSAGE = 2000;

/**
 * Whatever came out of a session, as a failure that is safe to show. Failures of ours stay what they are. None of
 * the others is kept as a cause: they quote the server, which may have quoted a secret.
 */
export function toToolFailure(error: unknown, redact: (text: string) => string): ToolFailure {
  // What a server says is cut only after that, or half a secret would be left.
  const failure = findFailure(error) ?? describe(error, (words) => cut(redact(words), MAX_MESSAGE));
  const message = redact(failure.message);
  return message === failure.message
    ? failure
    : new ToolFailure(failure.type, message, { code: failure.code });
}

/** The failure of ours that an error is or was caused by. */
export function findFailure(error: unknown): ToolFailure | null {
  if (error instanceof ToolFailure) return error;
  return error instanceof Error && error.cause !== undefined ? findFailure(error.cause) : null;
}

/** The beginning of a text, in whole characters. */
export function cut(text: string, max: number): string {
  return text.length <= max ? text : text.slice(0, max).replace(/[\uD800-\uDBFF]$/, '');
}

function describe(error: unknown, clean: (words: string) => string): ToolFailure {
  if (error instanceof McpError) {
    const words = clean(error.message)
      .replace(/^(MCP error -?\d+: ?)+/, '')
      .trim(); // both sides may have put that before
    const message = words === '' ? `The server answered with the error ${error.code}.` : words;
    return new ToolFailure('protocol', message, { code: error.code });
  }
  if (error instanceof StreamableHTTPError && error.code !== undefined && error.code >= 300) {
    return new ToolFailure(
      'http',
      `The server answered with HTTP ${error.code}, and that was not followed.`,
      {
        code: error.code,
      },
    );
  }
  // What fetch throws when a body breaks off, if it is nobody's failure yet.
  if (error instanceof TypeError) return new ToolFailure('http', 'The connection to the server was lost.');
  if (error instanceof SyntaxError || error instanceof z.core.$ZodError) {
    return new ToolFailure('protocol', 'The answer of the server is no valid MCP.');
  }
  const words = clean(messageOf(error)).replace('Streamable HTTP error: ', '');
  return new ToolFailure('protocol', `The server does not speak MCP as it should: ${words}`);
}

/** An answer with a status that is an error. */
export class StatusFailure extends ToolFailure {
  /** True if the server cannot have done what it was asked to, as it does not know the session it was asked in. */
  readonly isRefusal: boolean;

  constructor(message: string, { code, isRefusal }: { readonly code: number; readonly isRefusal: boolean }) {
    super('http', message, { code });
    this.isRefusal = isRefusal;
  }
}

export interface StatusContext {
  readonly redact: (text: string) => string;
  /** The request that was asked in a session with an id, if that is what was asked. */
  readonly askedInSession: number | null;
}

/** The failure that an answer is, with the server's words as far as they are short and readable. */
export async function toStatusFailure(
  response: Response,
  { redact, askedInSession }: StatusContext,
): Promise<StatusFailure> {
  const { status: code, redirected } = response;
  const text = await readText(response);
  const words = cut(redact(wordsIn(text ?? '')).trim(), MAX_WORDS);
  const message = `The server answered with HTTP ${code}${words === '' ? '.' : `: ${words}`}`;
  // After a redirect somebody else may have spoken. An answer to the request itself comes from whoever has seen it.
  const isFirstHand = code === 404 && !redirected && askedInSession !== null && text !== null;
  return new StatusFailure(message, { code, isRefusal: isFirstHand && !isAnswerTo(askedInSession, text) });
}

/** The body of an answer; null if it is longer than any message, as what is cut might be a secret, or breaks off. */
async function readText({ body }: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > 16_384) return null; // leaving the loop cancels the body
    }
  } catch {
    return null; // the status is known, and worth more than why its words were lost
  }
  return text;
}

const Message = z.object({ message: z.string() }).transform(({ message }) => message);
const ErrorBody = z.union([
  z.object({ error: Message }).transform(({ error }) => error),
  Message,
  z.object({ error_description: z.string() }).transform((body) => body.error_description),
  z.object({ error: z.string() }).transform(({ error }) => error),
  z.object({ detail: z.string() }).transform(({ detail }) => detail),
]);

function wordsIn(body: string): string {
  if (body.trimStart().startsWith('<')) return ''; // a page for people
  try {
    return ErrorBody.catch(body).parse(JSON.parse(body));
  } catch {
    return body;
  }
}

/** Whether an answer says that the session it was asked in does not exist. The protocol's status for it is 404. */
export function saysUnknownSession(error: unknown): error is ToolFailure {
  if (!(error instanceof ToolFailure)) return false;
  return error.code === 404 || (error.code === 400 && /session|initiali[sz]ed/i.test(error.message));
}

/** Whether an answer to the first request says that the server may speak the older transport. */
export function saysOtherTransport(error: unknown): boolean {
  if (!(error instanceof ToolFailure) || error.type !== 'http' || error.code === null) return false;
  return error.code >= 400 && error.code < 500 && ![401, 403, 429].includes(error.code);
}
