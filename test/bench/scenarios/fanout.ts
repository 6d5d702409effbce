import { follow, publish, published, start } from '../clients/documents.ts';
import { type GraphQLSocket, idOf, type Operation, openGraphQLSocket } from '../clients/graphql-socket.ts';
import { inParallel } from '../support/in-parallel.ts';
import { costOf } from '../support/meter.ts';
import type { Bench, Sample, Scenario } from '../support/scenario.ts';
import type { Server } from '../support/server.ts';
import { CHUNK_CHARACTERS } from '../upstream/chunks.ts';
import { createPlan } from '../upstream/plan.ts';

const FOLLOWERS = 100;
const EVERY_MS = 4;

export const fanout: Scenario = {
  name: 'fanout',
  title: `${FOLLOWERS} followers of one response with the same document, each on a WebSocket of its own, a delta every ${EVERY_MS} ms: CPU for each delta that reaches a follower`,
  servers: ['ours, joining off', 'ours, adaptive', 'stock graphql-ws'],
  targets: [
    {
      column: 'µs/delivered',
      of: 'ours, joining off',
      against: 'stock graphql-ws',
      sense: 'at most',
      ratio: 0.35,
    },
    {
      column: 'µs/delivered',
      of: 'ours, adaptive',
      against: 'stock graphql-ws',
      sense: 'at most',
      ratio: 0.35,
    },
  ],
  async warmUp(server, bench) {
    await play(server, bench, 200);
    await play(server, bench, 200);
  },
  measure: (server, bench) => play(server, bench, 250),
};

async function play(server: Server, { upstream }: Bench, chunks: number): Promise<Sample> {
  const plan = createPlan({ chunks, everyMs: EVERY_MS, held: true });
  const sockets = await inParallel({ count: FOLLOWERS + 1, width: 16 }, () => openGraphQLSocket(server.url));
  const [starter, ...followers] = sockets;
  if (starter === undefined) return {};

  let characters = 0;
  let pieces = 0;
  let waiting = followers.length;
  const everyoneHasBegun = Promise.withResolvers<void>();
  const run = (socket: GraphQLSocket, operation: Operation) => {
    let hasBegun = false;
    return socket.run(operation, (count) => {
      characters += count;
      pieces++;
      if (hasBegun) return;
      hasBegun = true;
      if (--waiting === 0) everyoneHasBegun.resolve();
    });
  };
  const isOurs = server.name.startsWith('ours');
  const operation = isOurs ? follow(idOf(await starter.run(start(plan)))) : published(plan);
  const all = Promise.all(followers.map((socket) => run(socket, operation)));
  all.catch(everyoneHasBegun.reject);
  if (!isOurs) await starter.run(publish(plan, FOLLOWERS));
  await everyoneHasBegun.promise;
  const before = { characters, pieces };
  const cost = await costOf(server, async () => {
    upstream.played(plan)?.release();
    await all;
  });
  for (const socket of sockets) socket.close();
  if (characters !== chunks * CHUNK_CHARACTERS * FOLLOWERS)
    throw new Error(`Only ${characters} characters came.`);
  const delivered = (characters - before.characters) / CHUNK_CHARACTERS;
  return {
    'µs/delivered': cost.total / delivered,
    'main thread': cost.main / delivered,
    Postgres: cost.postgres / delivered,
    'deltas/event': delivered / (pieces - before.pieces),
  };
}
