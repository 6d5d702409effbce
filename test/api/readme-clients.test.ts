import { expect, test } from 'vitest';
import { feed, says } from '../support/chat-server.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { createResponse } from '../support/graphql.ts';
import { startKeyApp } from '../support/keys.ts';
import { runProgram } from '../support/program.ts';
import { chooseSeed } from '../support/random.ts';
import { blocks } from '../support/readme.ts';
import { createSpeech } from '../support/speech.ts';
import { startTestApp } from '../support/test-app.ts';

const SEED = chooseSeed();
const WORDS = Array.from({ length: 200 }, (_, word) => `wörd-${word} `);
const CUTS = 10;

const [resuming = '', ...recipes] = blocks('js');
const RECIPES = ['graphql-ws', 'graphql-sse', 'urql', 'Apollo Client'].map(
  (client, at) => [client, recipes[at] ?? ''] as const,
);

/** Runs the code, which prints what it shows as JSON. */
function runRecipe(code: string, { url }: { readonly url: string }, id: string) {
  const given = `const id = '${id}'; const show = (...shown) => console.log(JSON.stringify(shown));`;
  const app = `${given}\n${code.replaceAll('127.0.0.1:4000', new URL(url).host)}`;
  return runProgram([
    ['app.js', app],
    ['resuming.js', resuming],
  ]);
}

/** What the code shows, call by call: the text so far, and the status when that is told. It ends by itself. */
async function* shownBy(code: string, place: { readonly url: string }, id: string) {
  await using program = await runRecipe(code, place, id);
  for await (const line of program.lines()) {
    const [text, response] = JSON.parse(line);
    yield { text: text as string, status: response?.status as string | undefined };
  }
  expect(await program.ended).toEqual({ code: 0, errors: '' });
}

test.each(RECIPES)(
  `the code for %s shows what was said and nothing else, cut ${CUTS} times (TEST_SEED=${SEED})`,
  async (_client, code) => {
    await using app = await startTestApp();
    await using proxy = await startCuttingProxy({ urls: [app.url], within: 300, seed: SEED });
    const atOnce = WORDS.length / CUTS;
    const speech = createSpeech({ words: WORDS, atOnce, ahead: 3, onBreath: () => proxy.allow(1) });
    app.upstream.enqueue(speech.answer);
    const { id } = await createResponse(app, { input: { text: 'Speak' }, stream: true });
    const whole = WORDS.join('');
    const shown = [];
    for await (const each of shownBy(code, proxy, id)) {
      shown.push(each);
      speech.heard(each.text.split(' ').length - 1);
    }
    expect(shown.filter(({ text }) => !whole.startsWith(text))).toEqual([]);
    expect(shown.at(-1)).toEqual({ text: whole, status: 'COMPLETED' });
    expect(proxy.cuts.length).toBe(CUTS);
  },
);

test.each(RECIPES)('the code for %s goes elsewhere when its server stops', async (_client, code) => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  await using proxy = await startCuttingProxy({ urls: [beside.url, app.url], within: 1, seed: SEED });
  const speech = feed();
  app.upstream.enqueue(speech.answer);
  const { id } = await createResponse(app, { input: { text: 'Speak' }, stream: true });
  await speech.say('Here ');
  const texts = new Set<string>();
  for await (const { text } of shownBy(code, proxy, id)) {
    if (text === 'Here ' && !texts.has(text)) {
      await beside.app.stop();
      await speech.say('and there.');
      await speech.end();
    }
    texts.add(text);
  }
  expect([...texts]).toEqual(['', 'Here ', 'Here and there.']);
  expect(proxy.connections).toEqual([1, 1]);
});

test.each(RECIPES)(
  'the code for %s takes back what was dropped when another server took over',
  async (_client, code) => {
    await using app = await startTestApp({ timing: { runGraceMs: 1000 } });
    const first = feed();
    app.upstream.enqueue(first.answer, says('Whole.'));
    const { id } = await createResponse(app, { input: { text: 'Speak' }, background: true });
    await app.upstream.received(1);
    await using beside = await startTestApp({ beside: app });
    await using proxy = await startCuttingProxy({ urls: [app.url, beside.url], within: 1, seed: SEED });
    await first.say('Half ');
    const texts: string[] = [];
    for await (const { text } of shownBy(code, proxy, id)) {
      if (text === 'Half ') await app.app.stop();
      if (text !== texts.at(-1)) texts.push(text);
    }
    expect(texts).toEqual(['', 'Half ', '', 'Whole.']);
  },
);

test.each(RECIPES)('the code for %s says that it was not let in, and ends', async (_client, code) => {
  await using app = await startKeyApp();
  await using program = await runRecipe(code, app, 'resp_00000000000000000000000000000000');
  const { errors } = await program.ended;
  expect(errors).toMatch(/4?401:? Unauthorized/);
});
