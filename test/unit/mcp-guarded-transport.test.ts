import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import { guardTransport } from '../../src/tools/mcp/guarded-transport.ts';
import { createRequests } from '../../src/tools/mcp/requests.ts';

function openGuarded() {
  const sent: JSONRPCMessage[] = [];
  const heard: JSONRPCMessage[] = [];
  const transport: Transport = {
    start: async () => {},
    close: async () => {},
    send: async (message) => {
      sent.push(message);
    },
  };
  const requests = createRequests();
  const guarded = guardTransport(transport, { requests });
  guarded.onmessage = (message) => heard.push(message);
  return { sent, heard, requests, guarded, say: (message: JSONRPCMessage) => transport.onmessage?.(message) };
}

const REQUEST = { jsonrpc: '2.0', id: 5, method: 'tools/call' } as const;
const CANCELLED = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } } as const;

test.each([5, '5'])('the answer with the id %j ends the request', async (id) => {
  const { guarded, requests, heard, say } = openGuarded();
  await guarded.send(REQUEST);
  const answer = { jsonrpc: '2.0', id, result: {} } as const;
  say(answer);
  expect(requests.has(5)).toBe(false);
  say(answer);
  expect(heard).toEqual([answer]);
});

test('of what a server says unasked, only progress is heard', async () => {
  const { heard, say } = openGuarded();
  const progress = {
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: 5, progress: 1 },
  } as const;
  say({ jsonrpc: '2.0', method: 'notifications/message', params: {} });
  say(CANCELLED);
  say({ jsonrpc: '2.0', id: 99, result: {} });
  say(progress);
  expect(heard).toEqual([progress]);
});

test('taking a request back ends its connection, and is said of no request that is answered', async () => {
  const { guarded, requests, sent, say } = openGuarded();
  await guarded.send(REQUEST);
  const signal = requests.signalOf(5);
  await guarded.send(CANCELLED);
  expect(signal.aborted).toBe(true);
  expect(sent).toEqual([REQUEST, CANCELLED]);
  await guarded.send(REQUEST);
  say({ jsonrpc: '2.0', id: 5, result: {} });
  await guarded.send(CANCELLED);
  expect(sent).toHaveLength(3);
});
