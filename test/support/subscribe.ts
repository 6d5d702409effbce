import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { GraphQLAnswer } from './graphql.ts';
import type { Transport } from './stream.ts';

export interface Subscription {
  readonly query: string;
  readonly variables?: { readonly [name: string]: unknown };
  readonly operationName?: string;
}

/** The results of any subscription, as a client of its transport gives them. Leaving the loop closes its connection. */
export async function* subscribe(
  { url }: { readonly url: string },
  { query, variables = {}, operationName }: Subscription,
  transport: Transport,
): AsyncGenerator<GraphQLAnswer, void> {
  const payload = { query, variables: { ...variables }, ...(operationName && { operationName }) };
  const client =
    transport === 'SSE'
      ? createSseClient({ url, retryAttempts: 0 })
      : createSocketClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
  try {
    for await (const result of client.iterate(payload)) yield result as GraphQLAnswer;
  } finally {
    await client.dispose();
  }
}
