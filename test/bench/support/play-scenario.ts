import type { Bench, Sample, Scenario } from './scenario.ts';
import { type Server, startServer } from './server.ts';
import type { ServerName } from './server-names.ts';

/** What each server did in one round. */
export type Round = { readonly [name in ServerName]?: Sample };

export interface Played {
  readonly scenario: Scenario;
  readonly rounds: readonly Round[];
}

/**
 * Measures the servers in turn, so that whatever else the machine does hits all of them alike; another one
 * begins each round. `tell` hears of the progress.
 */
export async function playScenario(
  scenario: Scenario,
  bench: Bench & { readonly rounds: number },
  tell: (line: string) => void,
): Promise<Played> {
  const rounds: Round[] = [];
  const most = scenario.rounds ?? bench.rounds;
  const count = Math.min(bench.rounds, bench.isQuick && scenario.rounds !== undefined ? 1 : most);
  const kept = new Map<ServerName, Server>();
  await using cleanUp = new AsyncDisposableStack();
  const start = (name: ServerName) => startServer(name, { upstreamUrl: bench.upstream.url });
  const warmUp = async (server: Server) => {
    await scenario.warmUp(server, bench);
    bench.upstream.forget();
  };
  const measure = async (name: ServerName): Promise<Sample> => {
    const server = kept.get(name);
    if (server !== undefined) return await watched(scenario, server, bench);
    await using fresh = await start(name);
    await warmUp(fresh);
    return await watched(scenario, fresh, bench);
  };
  if (!scenario.isFresh) {
    const starts = scenario.servers.map(async (name) => cleanUp.use(await start(name)));
    await Promise.allSettled(starts); // those that did start are stopped, too
    for (const server of await Promise.all(starts)) {
      await warmUp(server);
      kept.set(server.name, server);
    }
  }
  for (let round = 0; round < count; round++) {
    const samples: { [name in ServerName]?: Sample } = {};
    for (let turn = 0; turn < scenario.servers.length; turn++) {
      const name = scenario.servers[(turn + round) % scenario.servers.length];
      if (name === undefined) continue;
      samples[name] = await measure(name);
      bench.upstream.forget();
    }
    rounds.push(samples);
    tell(`${scenario.name} ${round + 1}/${count}`);
  }
  return { scenario, rounds };
}

/** Measures, and sees how much of the time the server was kept waiting for its core: by other programs, mostly. */
async function watched(scenario: Scenario, server: Server, bench: Bench): Promise<Sample> {
  server.raise();
  const [before, startedAt] = [server.cpu().waited, performance.now()];
  const sample = await scenario.measure(server, bench);
  const waited = server.cpu().waited - before;
  return { ...sample, 'waited %': waited / 10 / (performance.now() - startedAt) };
}
