import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const CREATE = `mutation ($input: CreateResponseInput!) {
  createResponse(input: $input) {
    response {
      id
      outputText
      pendingItems {
        __typename
        id
        ... on FunctionCall { callId name arguments }
        ... on McpApprovalRequest { name arguments }
      }
    }
    errors { message }
  }
}`;

const FOLLOW = `subscription ($id: ID!) {
  responseStream(id: $id, types: [OUTPUT_TEXT_DELTA, OUTPUT_ITEM_DONE]) {
    ... on OutputTextDeltaEvent { delta }
    ... on OutputItemDoneEvent {
      item {
        __typename
        ... on McpListTools { serverLabel tools { name } error { message } }
        ... on McpCall { name arguments output error { message } }
      }
    }
    ... on ResponseCompletedEvent { response { usage { totalTokens } } }
    ... on ResponseFailedEvent { response { error { message } } }
  }
}`;

export interface Created {
  readonly id: string;
  readonly outputText: string;
  readonly pendingItems: readonly PendingItem[];
}

export type PendingItem =
  | {
      readonly __typename: 'FunctionCall';
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
    }
  | {
      readonly __typename: 'McpApprovalRequest';
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
    };

/** What the tour reads of an event; each kind of event has one of these. */
export interface TourEvent {
  readonly delta?: string;
  readonly item?: DoneItem;
  readonly response?: {
    readonly usage?: { readonly totalTokens: number } | null;
    readonly error?: Problem | null;
  };
}

/** The items that the tour's runs have. */
export type DoneItem =
  | { readonly __typename: 'Message' }
  | {
      readonly __typename: 'McpListTools';
      readonly serverLabel: string;
      readonly tools: readonly { readonly name: string }[];
      readonly error: Problem | null;
    }
  | {
      readonly __typename: 'McpCall';
      readonly name: string;
      readonly arguments: string;
      readonly output: string | null;
      readonly error: Problem | null;
    };

interface Problem {
  readonly message: string;
}

export async function create(url: string, input: object): Promise<Created> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: CREATE, variables: { input } }),
  });
  const { data, errors } = await answer.json();
  const problems = errors ?? data.createResponse.errors;
  if (problems.length > 0) throw new Error(problems[0].message);
  return data.createResponse.response;
}

export async function* follow(url: string, id: string): AsyncGenerator<TourEvent> {
  const client = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
  try {
    const events = client.iterate<{ responseStream: TourEvent }>({ query: FOLLOW, variables: { id } });
    for await (const { data, errors } of events) {
      if (errors?.[0]) throw new Error(errors[0].message);
      if (data) yield data.responseStream;
    }
  } finally {
    await client.dispose();
  }
}
