import postgres from 'postgres';
import type { WakeUps } from '../wake-ups.ts';
import { createWakeUps, DEFAULT_CHANNEL, type WakeUpSettings } from './create-wake-ups.ts';
import type { Line } from './kept-line.ts';

const CONNECTION = { application_name: 'responses-graphql wake-ups', statement_timeout: 1_500 } as const;

/**
 * Nobody needs a notification on disk: without this each send would wait until it is, and hold meanwhile the one
 * lock that all notifying transactions of a server take at their commit.
 */
const SENDING = { ...CONNECTION, synchronous_commit: 'off' } as const;

/**
 * One connection, which is neither pooled nor replaced: the client can hang for ever when it connects again, and
 * its own way of listening never notices a connection that died without a word.
 */
const CLIENT = {
  max: 1,
  max_pipeline: 0,
  max_lifetime: null,
  connect_timeout: 2,
  fetch_types: false,
  onnotice: () => {},
} as const;

/** Wake-ups by NOTIFY, over two connections of their own to the database that holds the tables. */
export function createPostgresWakeUps({ url, channel = DEFAULT_CHANNEL, logger }: WakeUpSettings): WakeUps {
  const quoted = `"${channel.replaceAll('"', '""')}"`;
  const makeListeningLine = (
    onMessage: (message: string) => void,
    onLost: (reason: unknown) => void,
  ): Line => {
    const onnotify = (_channel: string, payload: string) => onMessage(payload);
    const settings = { ...CLIENT, connection: CONNECTION, onclose: () => onLost(lost()), onnotify };
    const sql = postgres(url, settings);
    return { ...toLine(sql), open: () => done(sql.unsafe(`listen ${quoted}`)) };
  };
  const makeSendingLine = (onLost: (reason: unknown) => void) => {
    const sql = postgres(url, { ...CLIENT, connection: SENDING, onclose: () => onLost(lost()) });
    const send = (messages: readonly string[]) => {
      const lines = messages.join('\n');
      return done(sql`
        select pg_notify(${channel}, line) from unnest(string_to_array(${lines}, chr(10))) as line`);
    };
    return { ...toLine(sql), send };
  };
  return createWakeUps({ makeListeningLine, makeSendingLine }, logger);
}

function toLine(sql: postgres.Sql): Line {
  const ask = () => done(sql`select 1`);
  return { open: ask, check: ask, close: () => void sql.end({ timeout: 0 }).catch(() => {}) };
}

/** Sends a query; whatever it returns is not wanted. */
async function done(query: PromiseLike<unknown>): Promise<void> {
  await query;
}

const lost = () => new Error('The connection to the database was closed.');
