import { CREATE, send, type Target } from './graphql.ts';
import type { McpTestServer } from './mcp-server.ts';
import { outputFor } from './run.ts';
import { selectEverything } from './select-everything.ts';
import { follow, type StreamVariables, TRANSPORTS } from './stream.ts';
import type { Belongings } from './tenant-world.ts';
import { answer, mcpAsking } from './tools.ts';

/** Somebody who hands in what belongs to another. */
export interface Prober {
  readonly caller: Target;
  /** The prober's own. */
  readonly own: Belongings;
  readonly mcp: McpTestServer;
}

/**
 * One way to hand something in. `finds`: without anything that keeps tenants apart the answer shows the other's, or
 * says that there is something; else there is nothing to find in the database.
 */
export interface Probe {
  readonly finds: boolean;
  readonly ask: (prober: Prober, theirs: Belongings) => Promise<unknown>;
}

const everything = {
  Response: selectEverything('Response').text,
  Node: selectEverything('Node').text,
  Items: selectEverything('ItemConnection').text,
  Responses: selectEverything('ResponseConnection').text,
};

const responsesOf = ({ response, continuation, asking, streamed, background, unstored }: Belongings) => [
  response,
  continuation,
  asking,
  streamed,
  background,
  unstored,
];
const itemsOf = (theirs: Belongings) => [theirs.message, theirs.call, theirs.approvalRequest];

type Variables = { readonly [name: string]: unknown };

/** The same query for each of these. */
function each(query: string, of: (theirs: Belongings, own: Belongings) => readonly Variables[]): Probe {
  return {
    finds: true,
    ask: ({ caller, own }, theirs) =>
      Promise.all(of(theirs, own).map((variables) => send(caller, query, variables))),
  };
}

/** A list of the prober's own, from or up to a place of another's. */
function place(query: string, of: (theirs: Belongings, own: Belongings) => Variables): Probe {
  return { ...each(query, (theirs, own) => [of(theirs, own)]), finds: false };
}

function creating(of: (prober: Prober, theirs: Belongings) => Variables, finds = true): Probe {
  return { finds, ask: (prober, theirs) => send(prober.caller, CREATE, { input: of(prober, theirs) }) };
}

function streaming(of: (theirs: Belongings, own: Belongings) => readonly StreamVariables[]): Probe {
  const events = (caller: Target, variables: StreamVariables, transport: (typeof TRANSPORTS)[number]) =>
    Array.fromAsync(firstOf(caller, variables, transport)).catch((error: unknown) => told(error));
  return {
    finds: true,
    ask: ({ caller, own }, theirs) =>
      Promise.all(
        of(theirs, own).flatMap((variables) =>
          TRANSPORTS.map((transport) => events(caller, variables, transport)),
        ),
      ),
  };
}

async function* firstOf(...[caller, variables, transport]: Parameters<typeof follow>) {
  for await (const event of follow(caller, variables, transport)) {
    yield event;
    return;
  }
}

function told(error: unknown): unknown {
  const { errors, message } = Object(error) as { errors?: unknown; message?: string };
  return errors ?? message ?? error;
}

const input = { text: 'Hi' };
const LIST = `query List($after: String, $before: String, $last: Int, $filter: ResponseFilter) {
  responses(after: $after, before: $before, last: $last, filter: $filter) ${everything.Responses} }`;
const ITEMS = `query Items($id: ID!, $after: String, $before: String, $last: Int) {
  inputItems(responseId: $id, after: $after, before: $before, last: $last) ${everything.Items} }`;
const BELOW = `query Below($id: ID!, $items: String, $itemsBefore: String, $next: String, $nextBefore: String) {
  response(id: $id) {
    inputItems(after: $items, before: $itemsBefore) { nodes { id } pageInfo { hasNextPage hasPreviousPage } }
    continuations(after: $next, before: $nextBefore) { nodes { id } pageInfo { hasNextPage hasPreviousPage } }
  } }`;
const CANCEL = `mutation Cancel($id: ID!) { cancelResponse(input: { id: $id }) {
  response ${everything.Response} errors { __typename code message path } } }`;
const DELETE = `mutation Delete($id: ID!) { deleteResponse(input: { id: $id }) {
  deletedId errors { __typename code message path } } }`;

/** For every place in the schema that takes something of which a tenant may have its own. */
export const PROBES: { readonly [place: string]: Probe } = {
  'Query.response(id)': each(`query Read($id: ID!) { response(id: $id) ${everything.Response} }`, (theirs) =>
    responsesOf(theirs).map((id) => ({ id })),
  ),
  'Query.node(id)': each(`query Node($id: ID!) { node(id: $id) ${everything.Node} }`, (theirs) =>
    [...responsesOf(theirs), ...itemsOf(theirs)].map((id) => ({ id })),
  ),
  'Query.nodes(ids)': each(
    `query Nodes($ids: [ID!]!) { nodes(ids: $ids) ${everything.Node} }`,
    (theirs, own) => [{ ids: [...responsesOf(theirs), own.response, ...itemsOf(theirs)] }],
  ),
  'Query.inputItems(responseId)': each(ITEMS, (theirs) => responsesOf(theirs).map((id) => ({ id }))),
  'Query.inputItems(after)': each(ITEMS, (theirs, own) => [
    { id: own.response, after: theirs.itemCursor },
    { id: theirs.response, after: theirs.itemCursor },
  ]),
  'Query.inputItems(before)': each(ITEMS, (theirs, own) => [
    { id: own.response, before: theirs.itemCursor, last: 5 },
    { id: theirs.continuation, before: theirs.itemCursor, last: 5 },
    { id: theirs.response, before: theirs.itemCursor, last: 5 },
  ]),
  'Query.responses(after)': each(LIST, (theirs) => [{ after: theirs.pageCursor }, {}]),
  'Query.responses(before)': each(LIST, (theirs) => [
    { before: theirs.pageCursor },
    { before: theirs.pageCursor, last: 2 },
  ]),
  'ResponseFilter.previousResponseId': each(LIST, ({ response }) => [
    { filter: { previousResponseId: response } },
  ]),
  'ResponseFilter.metadata': each(LIST, ({ secret }) => [
    { filter: { metadata: { secret } } },
    { filter: { metadata: { secret }, status: ['COMPLETED'], isRoot: true } },
  ]),
  'ResponseFilter.model': each(LIST, ({ model }) => [{ filter: { model } }]),
  'Response.inputItems(after)': place(BELOW, (theirs, own) => ({
    id: own.response,
    items: theirs.itemCursor,
  })),
  'Response.inputItems(before)': place(BELOW, (theirs, own) => ({
    id: own.response,
    itemsBefore: theirs.itemCursor,
  })),
  'Response.continuations(after)': place(BELOW, (theirs, own) => ({
    id: own.response,
    next: theirs.continuationCursor,
  })),
  'Response.continuations(before)': place(BELOW, (theirs, own) => ({
    id: own.response,
    nextBefore: theirs.continuationCursor,
  })),
  'Subscription.responseStream(id)': streaming((theirs) => responsesOf(theirs).map((id) => ({ id }))),
  'Subscription.responseStream(after)': streaming((theirs, own) => [
    { id: own.response, after: theirs.streamCursor },
    { id: theirs.response, after: theirs.streamCursor },
    { id: theirs.streamed, after: theirs.streamedCursor },
    { id: theirs.unstored, after: theirs.unstoredCursor },
  ]),
  'CreateResponseInput.previousResponseId': {
    finds: true,
    ask: ({ caller }, theirs) =>
      Promise.all(
        responsesOf(theirs).map((previousResponseId) =>
          send(caller, CREATE, { input: { input, previousResponseId } }),
        ),
      ),
  },
  'InputItemInput.itemReference': creating((_, theirs) => ({
    input: {
      items: [
        ...itemsOf(theirs).map((itemReference) => ({ itemReference })),
        { message: { content: input } },
      ],
    },
  })),
  'McpApprovalResponseInput.approvalRequestId': {
    finds: true,
    ask: ({ caller, own, mcp }, theirs) => {
      const items = [answer(theirs.approvalRequest, true)];
      const more = { input: { items }, tools: [mcpAsking('disk', mcp)] };
      return Promise.all(
        [own.asking, theirs.asking].map((previousResponseId) =>
          send(caller, CREATE, { input: { ...more, previousResponseId } }),
        ),
      );
    },
  },
  'FunctionCallOutputInput.callId': creating(
    ({ own }, { callId }) => ({
      input: { items: [outputFor(callId, 'x')] },
      previousResponseId: own.response,
    }),
    false,
  ),
  'FunctionCallInput.callId': creating(
    (_, { callId }) => ({
      input: { items: [{ functionCall: { callId, name: 'f', arguments: '{}' } }, outputFor(callId, 'x')] },
    }),
    false,
  ),
  'CreateResponseInput.idempotencyKey': creating((_, { idempotencyKey }) => ({ input, idempotencyKey })),
  // The last: what they find, they change.
  'CancelResponseInput.id': each(CANCEL, (theirs) => responsesOf(theirs).map((id) => ({ id }))),
  'DeleteResponseInput.id': each(DELETE, (theirs) => responsesOf(theirs).map((id) => ({ id }))),
};

/** An answer without what cannot be the same twice: ids that were made just now, moments, and what was handed in. */
export function withoutNames(answer: unknown, ...handedIn: readonly Belongings[]): string {
  let text = JSON.stringify(answer);
  const named = handedIn
    .flatMap((each) => Object.entries(each))
    .toSorted(([, one], [, other]) => other.length - one.length);
  for (const [name, value] of named) text = text.replaceAll(value, `<${name}>`);
  return text
    .replace(/\b[a-z]+_[0-9a-f]{32}\b/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<moment>')
    .replace(/"cursor":"[^"]*"|"(start|end)Cursor":"[^"]*"/g, '<cursor>');
}
