import { expect } from 'vitest';
import type { ChatBody } from './chat-server.ts';
import { ask, createResponse, ITEM_FIELDS, readResponse, type Target } from './graphql.ts';
import { collect } from './stream.ts';
import type { TestApp } from './test-app.ts';

/**
 * Runs a request to its end. On the way its whole stream is checked against the rules, and what createResponse
 * gave, what the last event says and what is read later must be the same.
 */
export async function run(app: TestApp, input: { readonly [name: string]: unknown }) {
  const response = await createResponse(app, input);
  const events = await collect(app, { id: response.id });
  expect(events.at(-1)?.['response']).toEqual(response);
  expect(await readResponse(app, response.id)).toEqual(response);
  return response;
}

/** The body of the upstream request number `index`, from 0. A negative one counts from the end. */
export function sentTo(app: TestApp, index = -1): ChatBody {
  const exchange = app.upstream.exchanges.at(index);
  if (exchange === undefined) throw new Error(`There is no upstream request ${index}.`);
  return exchange.body;
}

/** What a response waits for. */
export async function pendingItems(app: Target, id: string) {
  const query = `query Pending($id: ID!) { response(id: $id) { pendingItems { ...ItemFields } } } ${ITEM_FIELDS}`;
  return (await ask(app, query, { id })).response.pendingItems;
}

/** The input that answers one call with text. */
export function outputFor(callId: string, text: string) {
  return { functionCallOutput: { callId, output: { text } } };
}
