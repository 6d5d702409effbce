import { AppError } from '../util/errors.ts';

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

/** Makes a page of `limit + 1` rows as they were read: the one too many says that there are more. */
export function toPage<Row>(read: readonly Row[], request: PageRequest<unknown>): Page<Row> {
  const more = read.length > request.limit;
  const rows = read.slice(0, request.limit);
  return request.backward
    ? { rows: rows.toReversed(), hasPreviousPage: more, hasNextPage: request.before !== null }
    : { rows, hasNextPage: more, hasPreviousPage: request.after !== null };
}

export function formatTimeKey({ createdAt, id }: TimeKey): string {
  return Buffer.from(`${createdAt}:${id}`).toString('base64url');
}

export function formatPositionKey({ depth, position }: PositionKey): string {
  return Buffer.from(`${depth}:${position}`).toString('base64url');
}

/** @throws AppError INVALID_INPUT for anything that no page has given out. */
export function parseTimeKey(cursor: string): TimeKey {
  const match = /^(\d{1,15}):(resp_[0-9a-f]+)$/.exec(decode(cursor));
  if (match?.[1] === undefined || match[2] === undefined) throw malformed(cursor);
  return { createdAt: Number(match[1]), id: match[2] };
}

/** @throws AppError INVALID_INPUT for anything that no page has given out. */
export function parsePositionKey(cursor: string): PositionKey {
  const match = /^(\d{1,9}):(\d{1,9})$/.exec(decode(cursor));
  if (match === null) throw malformed(cursor);
  return { depth: Number(match[1]), position: Number(match[2]) };
}

function decode(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}

function malformed(cursor: string): AppError {
  return new AppError('INVALID_INPUT', `"${cursor.slice(0, 100)}" is not a cursor of this list.`);
}
