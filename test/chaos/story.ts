import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, chunk, DONE, openStream, sse, USAGE, write } from '../support/chat-server.ts';

/** A model that tells "story 7" when asked for it, a word every so many milliseconds. */
export function pacedStory({ words, paceMs }: { readonly words: number; readonly paceMs: number }) {
  const wordsOf = (index: number) => Array.from({ length: words }, (_, word) => `s${index}w${word} `);
  const answer: Answer = async (exchange) => {
    const asked = String(exchange.body.messages.at(-1)?.content);
    const index = Number(/story (\d+)/.exec(asked)?.[1]);
    openStream(exchange);
    for (const content of wordsOf(index)) {
      await delay(paceMs);
      if (exchange.answer.destroyed) return;
      await write(exchange, sse(chunk({ content })));
    }
    await write(exchange, sse(chunk({}, 'stop'), { choices: [], usage: USAGE }));
    exchange.answer.end(DONE);
  };
  return { answer, textOf: (index: number) => wordsOf(index).join('') };
}
