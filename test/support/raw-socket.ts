import { once } from 'node:events';
import { WebSocket } from 'ws';

type Message = { readonly type: string; readonly [field: string]: unknown };

/** A WebSocket that speaks the protocol by hand, so that a test sees every message and how it ended. */
export interface RawSocket {
  /** Every message so far. */
  readonly messages: readonly Message[];
  /** The code with which it was closed, once it is. */
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  send(message: Message): void;
  subscribe(id: string, query: string, variables?: object): void;
}

/** Connects, and resolves when the server has acknowledged it. */
export async function openSocket({ url }: { readonly url: string }): Promise<RawSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  const messages: Message[] = [];
  const acknowledged = Promise.withResolvers<void>();
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message;
    messages.push(message);
    if (message.type === 'connection_ack') acknowledged.resolve();
  });
  socket.on('error', () => {});
  const closed = once(socket, 'close').then(([code]) => Number(code));
  const send = (message: Message) => socket.send(JSON.stringify(message));
  await once(socket, 'open');
  send({ type: 'connection_init' });
  await acknowledged.promise;
  return {
    messages,
    closed,
    socket,
    send,
    subscribe: (id, query, variables = {}) => send({ type: 'subscribe', id, payload: { query, variables } }),
  };
}
