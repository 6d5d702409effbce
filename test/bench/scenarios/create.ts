import { create } from '../clients/documents.ts';
import { openHttp, type RawHttp } from '../clients/raw-http.ts';
import { inParallel } from '../support/in-parallel.ts';
import { costOf } from '../support/meter.ts';
import type { Scenario } from '../support/scenario.ts';
import { CHUNK_CHARACTERS } from '../upstream/chunks.ts';
import { createPlan } from '../upstream/plan.ts';

const CLIENTS = 16;
const CHUNKS = 20;

export const createScenario: Scenario = {
  name: 'create',
  title: `createResponse without streaming, over HTTP, ${CLIENTS} clients at once, answers of ${CHUNKS} tokens. Ours has its upstream stream, and stores the response; the obvious build asks for JSON and keeps nothing`,
  servers: ['ours, joining off', 'ours, adaptive', 'obvious build'],
  targets: [
    { column: 'a second', of: 'ours, joining off', against: 'obvious build', sense: 'at least', ratio: 1 },
    { column: 'a second', of: 'ours, adaptive', against: 'obvious build', sense: 'at least', ratio: 1 },
  ],
  async warmUp(server, { isQuick }) {
    const enough = isQuick ? 500 : 2000;
    await createWhile(server.url, (created) => created < enough);
  },
  async measure(server, { isQuick }) {
    const durationMs = isQuick ? 1000 : 1500;
    let created = 0;
    const cost = await costOf(server, async () => {
      const until = performance.now() + durationMs;
      created = await createWhile(server.url, () => performance.now() < until);
    });
    return {
      'a second': (created / durationMs) * 1000,
      'µs each': cost.total / created,
      'main thread': cost.main / created,
      Postgres: cost.postgres / created,
    };
  },
};

/** Creates until it is told to stop; returns how many were answered by then. */
async function createWhile(url: string, goesOn: (created: number) => boolean): Promise<number> {
  let created = 0;
  await inParallel({ count: CLIENTS, width: CLIENTS }, async () => {
    const http = await openHttp(url);
    while (goesOn(created)) {
      await createOne(http);
      if (goesOn(created)) created++;
    }
    http.close();
  });
  return created;
}

async function createOne(http: RawHttp): Promise<void> {
  const plan = createPlan({ chunks: CHUNKS, everyMs: 0, held: false });
  let answer = '';
  await http.post({ path: '/graphql', accept: 'application/json', body: create(plan) }, (bytes) => {
    answer += bytes.toString('latin1');
  });
  const text = /"outputText":"([^"]*)"/.exec(answer)?.[1] ?? '';
  if (text.length !== CHUNKS * CHUNK_CHARACTERS) throw new Error(answer);
}
