import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { openSocket } from './raw-socket.ts';
import type { StreamEvent, Transport } from './stream.ts';

/** A follower without a client library: its connection can be paused, and then reads no byte further. */
export interface BareFollower {
  readonly connection: Socket;
  /** The code with which a WebSocket was closed; over SSE nobody says one. */
  readonly closed: Promise<number | null>;
  /** The events that it has read so far. */
  received(): readonly StreamEvent[];
}

const DELTAS = `
  subscription ($id: ID!) {
    responseStream(id: $id) { __typename sequenceNumber cursor ... on OutputTextDeltaEvent { delta } }
  }`;

export interface BareOptions {
  readonly transport: Transport;
  /** On one WebSocket. */
  readonly subscriptions?: number;
}

/** Follows a response, of whose events it selects the texts and places. */
export async function startBareFollower(
  app: { readonly url: string },
  id: string,
  { transport, subscriptions = 1 }: BareOptions,
): Promise<BareFollower> {
  return transport === 'SSE' ? overSse(app.url, id) : overSocket(app, id, subscriptions);
}

async function overSocket(app: { readonly url: string }, id: string, subscriptions: number) {
  const socket = await openSocket(app);
  for (let number = 0; number < subscriptions; number++) socket.subscribe(String(number), DELTAS, { id });
  const connection: Socket = Reflect.get(socket.socket, '_socket');
  // biome-ignore lint/suspicious/noExplicitAny: answers as they come
  const received = () => socket.messages.flatMap(({ payload }: any) => payload?.data?.responseStream ?? []);
  return { connection, closed: socket.closed, received };
}

async function overSse(url: string, id: string) {
  const { host, hostname, port, pathname } = new URL(url);
  const body = JSON.stringify({ query: DELTAS, variables: { id } });
  const headers = `host: ${host}\r\naccept: text/event-stream\r\ncontent-type: application/json`;
  const connection = connect(Number(port), hostname);
  connection.on('error', () => {});
  const closed = once(connection, 'close').then(() => null);
  const read: Buffer[] = [];
  connection.on('data', (data) => read.push(data));
  connection.write(
    `POST ${pathname} HTTP/1.1\r\n${headers}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  // An event is a line; what HTTP writes between the chunks of its answer are lines of their own.
  const received = () =>
    [
      ...Buffer.concat(read)
        .toString()
        .matchAll(/^data: (\{.+\})$/gm),
    ].map(([, json]) => JSON.parse(json ?? '').data.responseStream);
  return { connection, closed, received };
}
