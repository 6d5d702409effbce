import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { send, type Target } from '../../support/graphql.ts';

/** How long somebody waited from asking to the end of the stream, in milliseconds. */
export interface Waits {
  readonly served: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

const ASK = `mutation ($input: CreateResponseInput!) {
  createResponse(input: $input) { response { id } errors { message } }
}`;
const FOLLOW = `subscription ($id: ID!) {
  responseStream(id: $id) { ... on ResponseLifecycleEvent { response { status } } }
}`;

/** Asks and follows, one after the other over one WebSocket, until told to stop. */
export function serveWell({ url, authorization }: Target) {
  let waits: number[] = [];
  let isOver = false;
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    connectionParams: { authorization },
  });
  const once = async () => {
    const from = performance.now();
    const { data } = await send({ url, authorization }, ASK, {
      input: { input: { text: 'Hi' }, stream: true },
    });
    let status = '';
    const variables = { id: data.createResponse.response.id };
    for await (const event of client.iterate<{ responseStream: { response?: { status: string } } }>({
      query: FOLLOW,
      variables,
    }))
      status = event.data?.responseStream.response?.status ?? status;
    if (status !== 'COMPLETED') throw new Error(`The stream ended with ${status}.`);
    waits.push(performance.now() - from);
  };
  const work = (async () => {
    while (!isOver) await once();
  })();
  work.catch(() => {}); // it is told to whoever asks how long they waited
  return {
    /** Of what has come since it was asked last. Rejects when somebody was not served. */
    async waits(): Promise<Waits> {
      await Promise.race([work, Promise.resolve()]);
      const sorted = waits.toSorted((a, b) => a - b);
      waits = [];
      const at = (part: number) =>
        Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0) * 10) / 10;
      return { served: sorted.length, p50: at(0.5), p99: at(0.99), longest: at(1) };
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await work.catch(() => {});
      await client.dispose();
    },
  };
}
