import { expect } from 'vitest';
import { ask, create, ITEM_FIELDS } from './graphql.ts';
import { sentTo } from './run.ts';
import type { TestApp } from './test-app.ts';
import { toldTo } from './upstream-tools.ts';

export interface ReadItem {
  readonly __typename: string;
  readonly id: string;
  readonly [field: string]: unknown;
}

/** The input item that names another item. */
export function reference({ id }: { readonly id: string }) {
  return { itemReference: id };
}

/** What a response was given itself, oldest first. */
export async function inputOf(app: TestApp, id: string) {
  const query = `query ($id: ID!) {
    inputItems(responseId: $id, scope: OWN, order: ASC, first: 100) { nodes { ...ItemFields } }
  } ${ITEM_FIELDS}`;
  return (await ask(app, query, { id })).inputItems.nodes;
}

/** What items say, whatever their ids. */
export function withoutIds(items: readonly ReadItem[]): readonly object[] {
  return items.map(({ id: _, ...rest }) => rest);
}

/** What the last request sent upstream, with the ids of its calls numbered. */
export function conversation(app: TestApp): unknown {
  toldTo(app);
  const ids: string[] = [];
  const text = JSON.stringify(sentTo(app).messages, (key, value) => {
    if (key !== 'id' && key !== 'tool_call_id') return value;
    if (!ids.includes(value)) ids.push(value);
    return ids.indexOf(value);
  });
  return JSON.parse(text);
}

/** The errors of a request with these items, each with its code, its path and its message. */
export async function refusedFor(app: TestApp, items: readonly object[], more: object = {}) {
  const sent = app.upstream.exchanges.length;
  const { response, errors } = await create(app, { input: { items }, ...more });
  expect(response).toBeNull();
  expect(app.upstream.exchanges).toHaveLength(sent);
  return errors.map(({ code, path, message }: { code: string; path: string[]; message: string }) => [
    code,
    path.join('.'),
    message,
  ]);
}
