import { setTimeout as delay } from 'node:timers/promises';
import {
  type Answer,
  calls,
  chunk,
  DONE,
  type Exchange,
  openStream,
  sse,
  USAGE,
  write,
} from '../support/chat-server.ts';
import { call } from '../support/tools.ts';

/** Calls that a job makes before it is done, one in each round. */
export const ROUNDS = 3;

/** Between two words of the model, in milliseconds. */
const PACE_MS = 30;

/**
 * A model for jobs: asked for "job 7", it says some words and calls `effect` with the number of the job and of the
 * round, three rounds long; then it says so. It goes by the conversation alone, whoever asks.
 */
export const doJob: Answer = async (exchange) => {
  const { messages } = exchange.body;
  const job = Number(/job (\d+)/.exec(String(messages.find(({ role }) => role === 'user')?.content))?.[1]);
  const round = messages.filter(({ role }) => role === 'assistant').length;
  const words = wordsOf(job, round);
  if (round < ROUNDS) return callAfter(exchange, words, { job, round });
  openStream(exchange);
  for (const content of words) await say(exchange, content);
  await write(exchange, sse(chunk({}, 'stop'), { choices: [], usage: USAGE }));
  exchange.answer.end(DONE);
};

/** What the model says in a round. */
export function wordsOf(job: number, round: number): readonly string[] {
  return Array.from({ length: 8 }, (_, word) => `j${job}r${round}w${word} `);
}

async function callAfter(exchange: Exchange, words: readonly string[], args: object): Promise<void> {
  const id = `call_${JSON.stringify(args).replace(/\D+/g, '_')}`;
  openStream(exchange);
  for (const content of words) await say(exchange, content);
  const { answer } = exchange;
  // The rest as a whole answer of its own would write it, without its head.
  await calls([call('effect', args, id)])({
    ...exchange,
    answer: Object.assign(Object.create(answer), {
      writeHead: () => answer,
      flushHeaders: () => {},
      write: answer.write.bind(answer),
      end: answer.end.bind(answer),
    }),
  });
}

async function say(exchange: Exchange, content: string): Promise<void> {
  await delay(PACE_MS);
  await write(exchange, sse(chunk({ content })));
}
