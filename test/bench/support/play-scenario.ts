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
  const open = async (name: ServerName) => {
    const server = await startServer(name, { upstreamUrl: bench.upstream.url });
    await scenario.warmUp(server, bench);
    return server;
  };
  const measure = async (name: ServerName): Promise<Sample> => {
    if (scenario.isFresh) {
      await using server = await open(name);
      return await watched(scenario, server, bench);
    }
    const server = kept.get(name) ?? cleanUp.use(await open(name));
    kept.set(name, server);
    return await watched(scenario, server, bench);
  };
  if (!scenario.isFresh)
    for (const name of scenario.servers) {
      kept.set(name, cleanUp.use(await open(name)));
      bench.upstream.forget();
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
