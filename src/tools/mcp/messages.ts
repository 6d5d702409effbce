import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { ToolFailure } from '../tool-failure.ts';

/** Of one message, in bytes. A larger one is of no use to any model, and parsing it stops everybody else. */
const MAX_MESSAGE = 4 * 1024 * 1024;

/** Objects and lists of one message: of millions, even of so few bytes, parsing takes the better part of a second. */
const MAX_BRACKETS = 250_000;

/** How much of a message has come. */
export interface MessageSize {
  /** In bytes, or characters. */
  readonly length: number;
  /** As {@link bracketsIn} counts them. */
  readonly brackets: number;
}

/** @throws ToolFailure `protocol` if it is more than anybody here reads. */
export function checkSize({ length, brackets }: MessageSize): void {
  if (length > MAX_MESSAGE) throw tooMuch(`${MAX_MESSAGE} bytes`);
  if (brackets > MAX_BRACKETS) throw tooMuch(`${MAX_BRACKETS} objects and lists`);
}

function tooMuch(limit: string): ToolFailure {
  return new ToolFailure('protocol', `A message of the server has more than ${limit}.`);
}

/** What begins an object or a list in JSON, those in its texts among them. */
export function bracketsIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === BRACE || byte === BRACKET) count++;
  return count;
}

const [BRACE, BRACKET] = Buffer.from('{[');

/** Ours are numbers, and some servers give them back as strings. */
const Id = z.union([z.string(), z.number()]).transform(Number);

const Json = z.string().transform((text): unknown => JSON.parse(text));

/** What a transport sends: JSON with an id for a request or an answer, without one for a notification. */
const Sent = z
  .string()
  .catch('{}')
  .pipe(Json)
  .pipe(z.object({ id: Id.optional(), method: z.string().optional() }));

/** The id of the request that is the body of a fetch; null for any other body. */
export function requestIdIn(body: RequestInit['body']): number | null {
  const { id, method } = Sent.parse(body);
  return id === undefined || method === undefined ? null : id;
}

/** The id of the request that a message is; null for any other. */
export function requestIdOf(message: JSONRPCMessage): number | null {
  return 'method' in message && 'id' in message ? Number(message.id) : null;
}

/** The id of the request that a message takes back; null for any other. */
export function cancelledIdOf(message: JSONRPCMessage): number | null {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return null;
  const { success, data } = Cancelled.safeParse(message.params);
  return success ? data.requestId : null;
}

const Cancelled = z.object({ requestId: Id });

/** Whether a text is an answer to a request, or a list with one. */
export function isAnswerTo(id: number, text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    return (Array.isArray(json) ? json : [json]).some((each) => Answer.safeParse(each).data?.id === id);
  } catch {
    return false;
  }
}

const Answer = z.object({ id: Id });
