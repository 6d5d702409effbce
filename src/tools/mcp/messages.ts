import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { ToolFailure } from '../tool-failure.ts';

/** Of one message, in bytes. A larger one is of no use to any model, and parsing it stops everybody else. */
export const MAX_MESSAGE = 4 * 1024 * 1024;

export function tooLarge(): ToolFailure {
  return new ToolFailure('protocol', `A message of the server has more than ${MAX_MESSAGE} bytes.`);
}

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
