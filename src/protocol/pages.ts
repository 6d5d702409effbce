import { AppError } from '../util/errors.ts';
import { asResponseId, type ResponseId } from './ids.ts';

/** Which part of a list is asked for: `limit` rows after or before a cursor, from the start or from the end. */
export interface PageRequest<Key> {
  readonly limit: number;
  /** From the end of the list, before `before`. The rows come in list order all the same. */
  readonly backward: boolean;
  readonly after: Key | null;
  readonly before: Key | null;
  readonly order: 'asc' | 'desc';
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** A place in a list of responses. */
export interface TimeKey {
  readonly createdAt: number;
  readonly id: string;
}

/** A place in a branch: the turn, counted from its root, and the position in it. */
export interface PositionKey {
  readonly depth: number;
  readonly position: number;
}

/** True if the query must read the table from high keys to low ones. */
export function readsDescending({
  order,
  backward,
}: Pick<PageRequest<unknown>, 'order' | 'backward'>): boolean {
  return (order === 'desc') !== backward;
}

/** The bound that the page starts from: what lies beyond it lies behind the page. */
export function startOf<Key>({ backward, before, after }: PageRequest<Key>): Key | null {
  return backward ? before : after;
}

/**
 * Makes a page of `limit + 1` rows as they were read: the one too many says that there are more. `behind` says
 * whether the list has anything beyond the bound that the page starts from.
 */
export function toPage<Row>(read: readonly Row[], request: PageRequest<unknown>, behind: boolean): Page<Row> {
  const more = read.length > request.limit;
  const rows = read.slice(0, request.limit);
  return request.backward
    ? { rows: rows.toReversed(), hasPreviousPage: more, hasNextPage: behind }
    : { rows, hasNextPage: more, hasPreviousPage: behind };
}

export function formatTimeKey({ createdAt, id }: TimeKey): string {
  return encode(`${createdAt}:${id}`);
}

/** Names its response as well: in another branch the same place means something else. */
export function formatPositionKey({ depth, position }: PositionKey, responseId: ResponseId): string {
  return encode(`${responseId}:${depth}:${position}`);
}

/** @throws AppError INVALID_INPUT for anything that no page has given out. */
export function parseTimeKey(cursor: string): TimeKey {
  const match = /^(0|[1-9]\d{0,12}):(.*)$/.exec(decode(cursor));
  const id = asResponseId(match?.[2] ?? '');
  if (match === null || id === null) throw malformed(cursor);
  return { createdAt: Number(match[1]), id };
}

/** @throws AppError INVALID_INPUT for anything that no page of this response's items has given out. */
export function parsePositionKey(cursor: string, responseId: ResponseId): PositionKey {
  const match = /^(.*):(0|[1-9]\d{0,8}):(0|[1-9]\d{0,8})$/.exec(decode(cursor));
  if (match?.[1] !== responseId) throw malformed(cursor);
  return { depth: Number(match[2]), position: Number(match[3]) };
}

function encode(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** Longer than any that is given out. */
const MAX_CURSOR = 200;

/** Decoding skips what it does not know, so what it gives must be what was encoded. */
function decode(cursor: string): string {
  if (cursor.length > MAX_CURSOR) throw malformed(cursor);
  const key = Buffer.from(cursor, 'base64url').toString();
  if (encode(key) !== cursor) throw malformed(cursor);
  return key;
}

function malformed(cursor: string): AppError {
  return new AppError('INVALID_INPUT', `"${cursor.slice(0, 100)}" is not a cursor of this list.`);
}
