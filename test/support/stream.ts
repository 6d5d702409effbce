import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { checkEventRules } from './event-rules.ts';
import { RESPONSE_FIELDS, type Target } from './graphql.ts';

/** An event with everything that can be selected of it. */
export interface StreamEvent {
  readonly __typename: string;
  readonly sequenceNumber: number;
  readonly cursor: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at events as they come
  readonly [field: string]: any;
}

export const STREAM = `
  subscription Stream($id: ID!, $after: String, $types: [ResponseEventType!], $coalesceMs: Int! = 0) {
    responseStream(id: $id, after: $after, types: $types, coalesceMs: $coalesceMs) {
      __typename
      sequenceNumber
      cursor
      ... on ResponseLifecycleEvent { response { ...ResponseFields } }
      ... on OutputItemEvent { outputIndex itemId }
      ... on OutputItemAddedEvent { item { ...ItemFields } }
      ... on OutputItemDoneEvent { item { ...ItemFields } }
      ... on ContentPartEvent { contentIndex }
      ... on ContentPartAddedEvent { part { ...PartFields } }
      ... on ContentPartDoneEvent { part { ...PartFields } }
      ... on OutputTextDeltaEvent { delta logprobs { token logprob bytes top { token logprob bytes } } }
      ... on OutputTextDoneEvent { text }
      ... on OutputTextAnnotationAddedEvent {
        annotationIndex annotation { ... on UrlCitation { url title startIndex endIndex } }
      }
      ... on RefusalDeltaEvent { delta }
      ... on RefusalDoneEvent { refusal }
      ... on FunctionCallArgumentsDeltaEvent { delta }
      ... on FunctionCallArgumentsDoneEvent { name arguments }
      ... on ReasoningTextDeltaEvent { delta }
      ... on ReasoningTextDoneEvent { text }
      ... on WebSearchCallSearchingEvent { query }
      ... on McpCallArgumentsDeltaEvent { delta }
      ... on McpCallArgumentsDoneEvent { arguments }
    }
  }
  ${RESPONSE_FIELDS}`;

export interface StreamVariables {
  readonly id: string;
  readonly after?: string | undefined;
  readonly types?: readonly string[];
  readonly coalesceMs?: number;
}

export type Transport = 'WebSocket' | 'SSE';

export const TRANSPORTS: readonly Transport[] = ['WebSocket', 'SSE'];

/** Follows a response, event by event. Leaving the loop ends the subscription and closes its connection. */
export async function* follow(
  { url, authorization }: Target,
  variables: StreamVariables,
  transport: Transport = 'WebSocket',
): AsyncGenerator<StreamEvent, void> {
  const payload = { query: STREAM, variables: { ...variables } };
  const client =
    transport === 'SSE'
      ? createSseClient({ url, retryAttempts: 0, headers: { ...(authorization && { authorization }) } })
      : createSocketClient({
          url: url.replace('http', 'ws'),
          webSocketImpl: WebSocket,
          retryAttempts: 0,
          connectionParams: { authorization },
        });
  try {
    for await (const { data, errors } of client.iterate<{ responseStream: StreamEvent }>(payload)) {
      if (errors) throw Object.assign(new Error(errors[0]?.message), { errors });
      if (data) yield data.responseStream;
    }
  } finally {
    await client.dispose();
  }
}

/** All events of a stream, until it completes. One that is read whole is checked against the rules of streams. */
export async function collect(
  app: Target,
  variables: StreamVariables,
  transport: Transport = 'WebSocket',
): Promise<readonly StreamEvent[]> {
  const events = await Array.fromAsync(follow(app, variables, transport));
  const { after, types, coalesceMs = 0 } = variables;
  if (after === undefined && types === undefined) checkEventRules(events, { joined: coalesceMs > 0 });
  return events;
}

/** The text of all deltas. */
export function textOf(events: readonly StreamEvent[]): string {
  return events.map((event) => event['delta'] ?? '').join('');
}
