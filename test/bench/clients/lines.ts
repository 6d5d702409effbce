import { type Plan, toModel } from '../upstream/plan.ts';
import { TextCounter } from './count-text.ts';
import { follow, start, stream } from './documents.ts';
import { idOf, openGraphQLSocket } from './graphql-socket.ts';
import type { Line, OnText, OpenLine } from './line.ts';
import { openHttp, type RawHttp } from './raw-http.ts';
import { openWebSocket } from './raw-web-socket.ts';

/** Ours over WebSocket: a mutation, then the subscription. */
export const openOurs: OpenLine = async (url) => {
  const socket = await openGraphQLSocket(url);
  return {
    play: async (plan, onText) => {
      const id = idOf(await socket.run(start(plan)));
      expectCompleted(JSON.stringify(await socket.run(follow(id), onText)));
    },
    close: () => socket.close(),
  };
};

/** The floors that speak graphql-ws: one subscription. */
export const openStock: OpenLine = async (url) => {
  const socket = await openGraphQLSocket(url);
  return {
    play: async (plan, onText) => expectCompleted(JSON.stringify(await socket.run(stream(plan), onText))),
    close: () => socket.close(),
  };
};

/** Ours over SSE: a mutation and a subscription, both over HTTP. */
export const openOursSse: OpenLine = async (url) => {
  const http = await openHttp(url);
  return {
    play: async (plan, onText) => {
      let answer = '';
      const request = { path: '/graphql', accept: 'application/json', body: start(plan) };
      await http.post(request, (bytes) => {
        answer += bytes.toString('latin1');
      });
      await playSse(http, follow(idOf(JSON.parse(answer))), onText);
    },
    close: () => http.close(),
  };
};

/** The floors over SSE. */
export const openStockSse: OpenLine = async (url) => {
  const http = await openHttp(url);
  return { play: (plan, onText) => playSse(http, stream(plan), onText), close: () => http.close() };
};

async function playSse(http: RawHttp, body: object, onText: OnText): Promise<void> {
  const counter = new TextCounter('delta');
  const request = { path: '/graphql', accept: 'text/event-stream', body };
  let last = '';
  await http.post(request, (bytes) => {
    counter.push(bytes, onText);
    last = (last + bytes.toString('latin1', Math.max(0, bytes.length - LAST))).slice(-LAST);
  });
  expectCompleted(last);
}

/** The last event and what ends the stream are no longer than this. In characters. */
const LAST = 600;

/** A stream that ended otherwise has not measured what it was to measure. */
function expectCompleted(last: string): void {
  if (!last.includes('"status":"COMPLETED"')) throw new Error(`A stream ended with ${last}`);
}

/** The byte proxy: Chat Completions as they are. */
export const openProxied: OpenLine = async (url) => {
  const http = await openHttp(url);
  return {
    play: async (plan, onText) => {
      const counter = new TextCounter('content');
      const request = { path: '/v1/chat/completions', accept: 'text/event-stream', body: chatRequest(plan) };
      await http.post(request, (bytes) => counter.push(bytes, onText));
    },
    close: () => http.close(),
  };
};

const chatRequest = (plan: Plan) => ({
  model: toModel(plan),
  stream: true,
  messages: [{ role: 'user', content: 'Tell me something long.' }],
});

/** The bare WebSocket: the model's name there, events back, and `{"end":true}` last. */
export const openBare: OpenLine = async (url): Promise<Line> => {
  const counter = new TextCounter('delta');
  let onText: OnText = () => {};
  let ended = Promise.withResolvers<void>();
  const socket = await openWebSocket(url.replace('http', 'ws'), '', {
    onMessage: (payload) => {
      if (payload.length < 20 && payload.toString('latin1') === '{"end":true}') ended.resolve();
      else counter.push(payload, onText);
    },
    onClose: (reason) => ended.reject(new Error(reason)),
  });
  return {
    play: (plan, listener) => {
      onText = listener;
      ended = Promise.withResolvers<void>();
      socket.send(toModel(plan));
      return ended.promise;
    },
    close: () => socket.close(),
  };
};
