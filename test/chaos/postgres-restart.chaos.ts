import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { migrateDatabase } from '../../src/store/database.ts';
import { openCluster } from '../../src/store/embedded/cluster.ts';
import { runLogged } from '../../src/store/embedded/process.ts';
import { startEmbedded } from '../../src/store/embedded.ts';
import { startChatServer } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { followThrough } from '../support/follow-through.ts';
import { createResponse, readResponse } from '../support/graphql.ts';
import { startInstances } from './instances.ts';
import { pacedStory } from './story.ts';

const STREAMS = 50;
const WORDS = 200;

test.each(['fast', 'immediate'])(
  `Postgres is restarted (%s) under ${STREAMS} streams: all of them end whole, and nothing is said twice`,
  async (mode) => {
    const folder = await mkdtemp(join(tmpdir(), 'responses-restart-'));
    const embedded = await startEmbedded(folder);
    try {
      await migrateDatabase(embedded.url);
      const story = pacedStory({ words: WORDS, paceMs: 50 });
      await using upstream = await startChatServer(story.answer);
      await using instances = await startInstances(3, {
        DATABASE_URL: embedded.url,
        OPENAI_BASE_URL: upstream.baseUrl,
        DEFAULT_MODEL: 'test-model',
        LOG_LEVEL: 'fatal',
      });
      const watching = await Promise.all(
        Array.from({ length: STREAMS }, async (_, index) => {
          const { id } = await createResponse(instances, { input: { text: `story ${index}` }, stream: true });
          let silence = 0;
          let last = performance.now();
          const events = (async () => {
            const seen = [];
            for await (const event of followThrough(instances, { id })) {
              silence = Math.max(silence, performance.now() - last);
              last = performance.now();
              seen.push(event);
            }
            checkEventRules(seen);
            return seen;
          })();
          events.catch(() => {});
          return { id, events, silence: () => silence };
        }),
      );
      await delay(2000);
      const began = performance.now();
      const { launcher, binaries, folder: data, logFile } = await openCluster(folder);
      const ending = await runLogged(
        launcher,
        [binaries.pgCtl, 'restart', '--pgdata', data, '-m', mode, '--wait', '--silent'],
        logFile,
      );
      expect(ending.code).toBe(0);
      const restartMs = Math.round(performance.now() - began);
      const ends: { [status: string]: number } = {};
      let longest = 0;
      for (const [index, { id, events, silence }] of watching.entries()) {
        const seen = await events;
        const response = await readResponse(instances, id);
        expect(seen.at(-1)?.['response']).toEqual(response);
        ends[response.status] = (ends[response.status] ?? 0) + 1;
        if (response.status === 'COMPLETED') expect(response.outputText).toBe(story.textOf(index));
        longest = Math.max(longest, silence());
      }
      process.stdout.write(
        `${JSON.stringify({ mode, restartMs, ends, longestSilenceMs: Math.round(longest) })}\n`,
      );
    } finally {
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
