import { expect, test } from 'vitest';
import { feed } from '../support/chat-server.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { followThrough } from '../support/follow-through.ts';
import { createResponse } from '../support/graphql.ts';
import { chooseSeed } from '../support/random.ts';
import { createSpeech } from '../support/speech.ts';
import { collect, type StreamEvent, TRANSPORTS } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';
import { endsInFrame, endsInRecord } from '../support/torn.ts';
import { seemingLoad } from '../support/watch-runs.ts';

const SEED = chooseSeed();
const CUTS = 50;
const STEMS = ['naïve', '日本語', '👩‍👩‍👧', 'plain'];
const WORDS = Array.from({ length: 2000 }, (_, word) => `${STEMS[word % 4]}-${word} `);

/** The model says so many words for each cut; so they are spread over the whole stream. */
const AT_ONCE = WORDS.length / CUTS;

/** With every delta as an event, and joined as under load: then there is less on the wire, and it is cut more often. */
const JOINING = [
  ['off', 2000],
  ['forced', 500],
] as const;

const CASES = TRANSPORTS.flatMap((transport) => [
  ...JOINING.map((how) => [transport, 1, ...how] as const),
  [transport, 3, ...JOINING[1]] as const,
]);

test.each(CASES)(
  `%s to %i instance(s), joining %s, cut ${CUTS} times while it is live, brings every event exactly once (TEST_SEED=${SEED})`,
  async (transport, instances, joining, within) => {
    using _ = seemingLoad(joining === 'forced' ? 'high' : 'low');
    const config = { joinsDeltas: joining === 'forced' };
    await using app = await startTestApp({ config });
    await using others = new AsyncDisposableStack();
    const urls = [app.url];
    while (urls.length < instances) urls.push(others.use(await startTestApp({ beside: app, config })).url);
    await using proxy = await startCuttingProxy({ urls, within, seed: SEED });
    const speech = createSpeech({ words: WORDS, atOnce: AT_ONCE, ahead: 10, onBreath: () => proxy.allow(1) });
    app.upstream.enqueue(speech.answer);
    const { id } = await createResponse(app, { input: { text: 'Speak' }, stream: true });

    const events: StreamEvent[] = [];
    let heard = 0;
    for await (const event of followThrough(proxy, { id }, transport)) {
      events.push(event);
      heard += (event['delta'] ?? '').split(' ').length - 1;
      speech.heard(heard);
    }
    await speech.over;

    expect(textOf(events)).toBe(WORDS.join(''));
    const deltas = events.filter((event) => event['delta'] !== undefined);
    if (joining === 'off') expect(deltas.length).toBe(WORDS.length);
    else expect(deltas.length).toBeLessThan(WORDS.length);
    checkEventRules(events); // the numbers too: from 0 to the end, each once
    expect(await collect(app, { id })).toEqual(events);
    expect(proxy.cuts.length).toBe(CUTS);
    const endsWithin = transport === 'SSE' ? endsInRecord : endsInFrame;
    expect(proxy.cuts.filter(endsWithin).length).toBeGreaterThan(CUTS / 2);
    expect(Math.min(...proxy.connections)).toBeGreaterThan(CUTS / (instances + 1));
  },
);

test.each(TRANSPORTS)(
  '%s goes on elsewhere when its server stops, and does not take that for the end',
  async (transport) => {
    await using app = await startTestApp();
    await using beside = await startTestApp({ beside: app });
    await using proxy = await startCuttingProxy({ urls: [beside.url, app.url], within: 1, seed: SEED });
    const speech = feed();
    app.upstream.enqueue(speech.answer);
    const { id } = await createResponse(app, { input: { text: 'Speak' }, stream: true });
    await speech.say('Here ');
    const events: StreamEvent[] = [];
    for await (const event of followThrough(proxy, { id }, transport)) {
      events.push(event);
      if (event['delta'] !== 'Here ') continue;
      await beside.app.stop();
      await speech.say('and there.');
      await speech.end();
    }
    expect(textOf(events)).toBe('Here and there.');
    checkEventRules(events);
    expect(proxy.connections).toEqual([1, 1]);
  },
);

function textOf(events: readonly StreamEvent[]): string {
  return events.map((event) => event['delta'] ?? '').join('');
}
