import { openSocket, type RawSocket } from './raw-socket.ts';

/** How an operation reaches the server, and what came of it. */
export interface Outcome {
  /** The HTTP status; null over WebSocket. */
  readonly status: number | null;
  /** Everything that was answered, in the form of a result. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers as they come
  readonly results: readonly any[];
  /** Of a WebSocket: the types of the messages that it was answered with. */
  readonly types: readonly string[];
}

export type AnyTransport = 'HTTP' | 'SSE' | 'WebSocket';

export const ANY_TRANSPORT: readonly AnyTransport[] = ['HTTP', 'SSE', 'WebSocket'];

/** What is sent: usually `query` and `variables`, but anything that JSON can hold. */
export type Payload = { readonly [name: string]: unknown };

type Place = { readonly url: string };

/** Sends one operation, as its transport does, and waits until nothing more comes. */
export async function sendOver(app: Place, transport: AnyTransport, payload: Payload): Promise<Outcome> {
  if (transport === 'WebSocket') return overSocket(app, payload);
  const accept = transport === 'SSE' ? 'text/event-stream' : 'application/graphql-response+json';
  const answer = await fetch(app.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(payload),
  });
  const text = await answer.text();
  const results =
    transport === 'SSE'
      ? Array.from(text.matchAll(/^event: next\ndata: (.*)$/gm), ([, data = '']) => JSON.parse(data))
      : [JSON.parse(text)];
  return { status: answer.status, results, types: [] };
}

async function overSocket(app: Place, payload: Payload): Promise<Outcome> {
  const socket = await openSocket(app);
  socket.send({ type: 'subscribe', id: '1', payload: { query: '', ...payload } });
  const answers = await answersTo(socket, '1');
  socket.socket.close();
  await socket.closed;
  const results = answers.flatMap(({ type, payload: body }) =>
    type === 'next' ? [body] : type === 'error' ? [{ errors: body }] : [],
  );
  return { status: null, results, types: answers.map(({ type }) => type) };
}

/** All messages about an operation, once it is over. */
export async function answersTo({ socket, messages, closed }: RawSocket, id: string) {
  const own = () => messages.filter((message) => message['id'] === id);
  const isOver = () => own().some(({ type }) => type === 'error' || type === 'complete');
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => isOver() && resolve();
  socket.on('message', look);
  look();
  await Promise.race([promise, closed]);
  socket.off('message', look);
  return own();
}
