import { Redis } from 'ioredis';
import type { WakeUps } from '../wake-ups.ts';
import { createWakeUps, DEFAULT_CHANNEL, type WakeUpSettings } from './create-wake-ups.ts';
import type { Line } from './kept-line.ts';

/**
 * One connection, which is neither mended nor replaced, and nothing that waits inside the client. Protocol 2 is
 * understood by everything that calls itself a Redis, at the first try.
 */
const CLIENT = {
  lazyConnect: true,
  protocol: 2,
  retryStrategy: null,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  enableReadyCheck: false, // asks for rights that we do not need
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 2_000,
  disconnectTimeout: 100,
  disableClientInfo: true,
  connectionName: 'responses-graphql',
} as const;

/** Wake-ups by PUBLISH, over two connections to a Redis. */
export function createRedisWakeUps({ url, channel = DEFAULT_CHANNEL, logger }: WakeUpSettings): WakeUps {
  const makeListeningLine = (
    onMessage: (message: string) => void,
    onLost: (reason: unknown) => void,
  ): Line => {
    const { redis, line } = makeLine(url, onLost);
    redis.on('message', (_channel, message) => onMessage(message));
    const open = async () => {
      await line.open();
      await redis.subscribe(channel);
    };
    return { ...line, open };
  };
  const makeSendingLine = (onLost: (reason: unknown) => void) => {
    const { redis, line } = makeLine(url, onLost);
    const send = async (messages: readonly string[]) => {
      await Promise.all(messages.map((message) => redis.publish(channel, message)));
    };
    return { ...line, send };
  };
  return createWakeUps({ makeListeningLine, makeSendingLine }, logger);
}

function makeLine(
  url: string,
  onLost: (reason: unknown) => void,
): { readonly redis: Redis; readonly line: Line } {
  const redis = new Redis(url, CLIENT);
  // That a connection failed, and why, the client tells at different places.
  let reason = new Error('The connection to Redis was closed.');
  redis.on('error', (error) => {
    reason = error;
  });
  redis.on('end', () => onLost(reason));
  const line = {
    open: () => redis.connect().catch(() => Promise.reject(reason)),
    check: async () => {
      await redis.ping();
    },
    close: () => redis.disconnect(),
  };
  return { redis, line };
}
