import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Order, Outcome } from './orders.ts';

/** A process that is told over its channel how to be a nuisance, and answers each order with what came of it. */
const open = new Set<{ leave(): void }>();
let isLeaving = false;
let counts: Record<string, number> = {};
const count = (what: string) => {
  counts[what] = (counts[what] ?? 0) + 1;
};

/** Resolves when `count` have settled, for the first time each; not more than 200 connect at a moment. */
async function many(total: number, one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const inTurn = async () => {
    while (next < total) await one(next++);
  };
  await Promise.all(Array.from({ length: 200 }, inTurn));
}

function openSocket(url: string, onOpen: (socket: WebSocket) => void): WebSocket {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
    perMessageDeflate: false,
  });
  const entry = { leave: () => socket.terminate() };
  open.add(entry);
  socket.on('open', () => onOpen(socket));
  socket.on('unexpected-response', (_, { statusCode }) => {
    count(`refused ${statusCode}`);
    socket.terminate();
  });
  socket.on('error', () => {});
  socket.on('close', () => open.delete(entry));
  return socket;
}

const idle = ({ url, count: total, keys }: Extract<Order, { type: 'idle' }>) =>
  many(total, (index) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const payload = { authorization: `Bearer ${keys[index % keys.length]}` };
    const socket = openSocket(url, () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    socket.once('message', () => {
      count('in');
      resolve();
    });
    socket.on('close', (code) => {
      if (!isLeaving) count(`closed ${code}`);
      resolve();
    });
    return promise;
  });

const silent = ({ url, count: total }: Extract<Order, { type: 'silent' }>) =>
  many(total, () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const come = () => {
      const socket = openSocket(url, () => {
        count('opened');
        resolve();
      });
      socket.on('close', (code) => {
        if (isLeaving) return resolve();
        count(`closed ${code}`);
        come();
      });
    };
    come();
    return promise;
  });

const slow = ({ url, count: total, key }: Extract<Order, { type: 'slow' }>) =>
  many(total, (index) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const come = () => {
      const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1');
      const entry = { leave: () => socket.destroy() };
      open.add(entry);
      socket.on('connect', () => {
        count('opened');
        socket.write(`${HEAD}Bearer ${key}${index % 2 === 0 ? '' : '\r\n\r\n{'}`);
        resolve();
      });
      const timer = setInterval(() => socket.write(index % 2 === 0 ? 'x' : ' '), 1000);
      socket.on('data', (bytes) => count(`answered ${String(bytes).slice(9, 12)}`));
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(timer);
        open.delete(entry);
        if (isLeaving) return;
        count('closed');
        come();
      });
    };
    come();
    return promise;
  });

/** Of a request whose body is longer than what comes. */
const HEAD =
  'POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 10000\r\nauthorization: ';

const FOLLOW = 'subscription ($id: ID!) { responseStream(id: $id) { sequenceNumber } }';

function subscribe({ url, count: total, key, id }: Extract<Order, { type: 'subscribe' }>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const send = (message: object) => socket.send(JSON.stringify(message));
  const socket = openSocket(url, () =>
    send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }),
  );
  const followed = new Set<string>();
  const refused = new Set<string>();
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    if (message.type === 'connection_ack')
      for (let n = 0; n < total; n++)
        send({ type: 'subscribe', id: `${n}`, payload: { query: FOLLOW, variables: { id } } });
    if (message.type === 'error') refused.add(message.id);
    if (message.type === 'next') followed.add(message.id);
    counts = { ...counts, followed: followed.size, refused: refused.size };
    count(message.type);
    if (followed.size + refused.size === total) resolve();
  });
  socket.on('close', (code) => {
    if (!isLeaving) count(`closed ${code}`);
    resolve();
  });
  return promise;
}

async function leave(): Promise<void> {
  isLeaving = true;
  for (const each of open) each.leave();
  await new Promise((resolve) => setTimeout(resolve, 100));
}

async function carryOut(order: Order): Promise<void> {
  if (order.type !== 'leave') {
    isLeaving = false;
    counts = {};
  }
  switch (order.type) {
    case 'idle':
      return idle(order);
    case 'silent':
      return silent(order);
    case 'slow':
      return slow(order);
    case 'subscribe':
      return subscribe(order);
    case 'leave':
      return leave();
    default:
      return order satisfies never;
  }
}

process.on('message', (order: Order) => {
  void carryOut(order).then(() => process.send?.(counts satisfies Outcome));
});
