import { calls, feed, says } from './chat-server.ts';
import { ask, createResponse, type Target } from './graphql.ts';
import type { McpTestServer } from './mcp-server.ts';
import { outputFor } from './run.ts';
import { follow } from './stream.ts';
import type { TestApp } from './test-app.ts';
import { call, mcpAsking } from './tools.ts';

/** Everything that somebody who uses the server can be told of, and hand to it again. */
export interface Belongings {
  readonly response: string;
  /** Continues `response`, and has answered its call. */
  readonly continuation: string;
  /** Waits for an approval. */
  readonly asking: string;
  readonly streamed: string;
  readonly background: string;
  readonly unstored: string;
  readonly message: string;
  readonly call: string;
  readonly approvalRequest: string;
  readonly callId: string;
  readonly idempotencyKey: string;
  readonly model: string;
  readonly secret: string;
  /** Of `responses`, of the continuations of `response`, of its input items. */
  readonly pageCursor: string;
  readonly continuationCursor: string;
  readonly itemCursor: string;
  /** In the streams of `response`, `streamed` and `unstored`. */
  readonly streamCursor: string;
  readonly streamedCursor: string;
  readonly unstoredCursor: string;
}

/** One that has them, with three runs in flight. */
export interface Owner {
  readonly belongings: Belongings;
  /** Lets the three runs end. */
  finish(): Promise<void>;
}

/** Makes everything that there can be for one tenant. `secret` is in all that it says and is told. */
export async function settle(
  { app, caller, secret }: { readonly app: TestApp; readonly caller: Target; readonly secret: string },
  mcp: McpTestServer,
): Promise<Owner> {
  const { upstream } = app;
  const input = { text: secret };
  const model = `model of ${secret}`;
  const about = { model, metadata: { secret }, instructions: secret };
  const callId = `call_of_${secret.length}`; // who hands it in keeps it: it must not look like a secret
  upstream.enqueue(calls([call('look', { for: secret }, callId)], secret));
  const look = { function: { name: 'look', parameters: { type: 'object' } } };
  const idempotencyKey = `key of ${secret}`;
  const first = await createResponse(caller, { input, ...about, tools: [look], idempotencyKey });
  upstream.enqueue(says(secret));
  const items = [outputFor(callId, secret)];
  const second = await createResponse(caller, { input: { items }, ...about, previousResponseId: first.id });
  upstream.enqueue(calls([call('write', { text: secret })]));
  const third = await createResponse(caller, { input, ...about, tools: [mcpAsking('disk', mcp)] });

  const feeds = [feed(), feed(), feed()] as const;
  const begin = async (run: (typeof feeds)[number], more: object) => {
    upstream.enqueue(run.answer);
    const { id } = await createResponse(caller, { input, ...about, ...more });
    await run.say(secret);
    return String(id);
  };
  const streamed = await begin(feeds[0], { stream: true });
  const unstored = await begin(feeds[1], { stream: true, store: false });
  const background = await begin(feeds[2], { background: true });
  const cursors = await ask(caller, CURSORS, { id: first.id });
  return {
    belongings: {
      response: first.id,
      continuation: second.id,
      asking: third.id,
      streamed,
      background,
      unstored,
      message: first.output[0].id,
      call: first.output[1].id,
      approvalRequest: third.output.at(-1).id,
      callId,
      idempotencyKey,
      model,
      secret,
      pageCursor: cursors.responses.edges.at(-1).cursor,
      continuationCursor: cursors.response.continuations.edges[0].cursor,
      itemCursor: cursors.response.inputItems.edges[0].cursor,
      streamCursor: first.streamCursor,
      streamedCursor: await cursorIn(caller, streamed),
      unstoredCursor: await cursorIn(caller, unstored),
    },
    finish: async () => {
      for (const run of feeds) await run.end();
    },
  };
}

const CURSORS = `query Cursors($id: ID!) {
  responses { edges { cursor } }
  response(id: $id) { continuations { edges { cursor } } inputItems { edges { cursor } } }
}`;

/** Of its first event: there is more behind it. */
async function cursorIn(caller: Target, id: string): Promise<string> {
  for await (const { cursor } of follow(caller, { id })) return cursor;
  throw new Error('It said nothing.');
}

/** The same as far as anybody can see, of which nobody has ever heard. */
export function unheardOf(belongings: Belongings): Belongings {
  const ids = new Map<string, string>();
  const other = (text: string): string =>
    text.replace(/([a-z]+_[0-9a-f]{12})([0-9a-f]{20})/g, (_, time: string, rest: string) => {
      const made =
        ids.get(rest) ?? Array.from(rest, (digit) => (15 - Number.parseInt(digit, 16)).toString(16)).join('');
      ids.set(rest, made);
      return `${time}${made}`;
    });
  const inCursor = (cursor: string) =>
    Buffer.from(other(Buffer.from(cursor, 'base64url').toString())).toString('base64url');
  const entries = Object.entries(belongings).map(([name, value]: [string, string]) => {
    if (name === 'callId') return [name, `${value}0`];
    const isPlace = name === 'pageCursor' || name === 'continuationCursor' || name === 'itemCursor';
    return [
      name,
      isPlace ? inCursor(value) : other(value).replaceAll(belongings.secret, 'never-heard-of-it'),
    ];
  });
  return Object.fromEntries(entries) as Belongings;
}
