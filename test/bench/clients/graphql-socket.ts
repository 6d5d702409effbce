import { asObject, asText, type Json } from '../../../src/util/json.ts';
import type { OnText } from './line.ts';
import { openWebSocket } from './raw-web-socket.ts';

export interface Operation {
  readonly query: string;
  readonly variables: Json;
}

/** The protocol of graphql-ws, for one operation at a time. */
export interface GraphQLSocket {
  /** Resolves when the operation is complete, with the last message that held no text. Fails at its first error. */
  run(operation: Operation, onText?: OnText): Promise<Json | null>;
  close(): void;
}

interface Running {
  readonly resolve: (last: Json | null) => void;
  readonly reject: (error: Error) => void;
  readonly onText: OnText | undefined;
  last: Json | null;
}

const DELTA = '"delta":"';

export async function openGraphQLSocket(url: string): Promise<GraphQLSocket> {
  const acknowledged = Promise.withResolvers<Json | null>();
  let running: Running = { ...acknowledged, onText: undefined, last: null };
  let operations = 0;

  const take = (text: string) => {
    const message = asObject(JSON.parse(text));
    switch (message?.['type']) {
      case 'connection_ack':
      case 'complete':
        return running.resolve(running.last);
      case 'next': {
        running.last = asObject(message['payload']);
        if (running.last?.['errors'] !== undefined) running.reject(new Error(text));
        return;
      }
      case 'ping':
        return socket.send('{"type":"pong"}');
      default:
        running.reject(new Error(text));
    }
  };
  const onMessage = (payload: Buffer) => {
    const text = payload.toString('latin1');
    const at = text.indexOf(DELTA) + DELTA.length;
    if (at < DELTA.length || running.onText === undefined) take(text);
    else running.onText(text.indexOf('"', at) - at);
  };
  const socket = await openWebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
    onMessage,
    onClose: (reason) => running.reject(new Error(reason)),
  });
  const { username: key } = new URL(url);
  const payload = key === '' ? {} : { authorization: `Bearer ${key}` };
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  await acknowledged.promise;
  return {
    run: (payload, onText) => {
      const { promise, resolve, reject } = Promise.withResolvers<Json | null>();
      running = { resolve, reject, onText, last: null };
      socket.send(JSON.stringify({ id: `${++operations}`, type: 'subscribe', payload }));
      return promise;
    },
    close: () => socket.close(),
  };
}

/** The id in the answer of a `createResponse`. */
export function idOf(answer: Json | null): string {
  const payload = asObject(asObject(answer?.['data'])?.['createResponse']);
  const id = asText(asObject(payload?.['response'])?.['id']);
  if (id === '') throw new Error(JSON.stringify(answer));
  return id;
}
