import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/util/errors.ts';
import { scenarios } from './scenarios/scenarios.ts';
import { describeMachine } from './support/machine.ts';
import { LOAD_CORE, pin, raisePriority } from './support/pinning.ts';
import { type Played, playScenario } from './support/play-scenario.ts';
import { reportOf } from './support/report.ts';
import type { Scenario } from './support/scenario.ts';
import { verdictsOf } from './support/summary.ts';
import { startUpstream } from './upstream/upstream.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    urgent: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
  },
});
const wanted = values.only.flatMap((names) => names.split(','));
const unknown = wanted.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  const names = scenarios.map(({ name }) => name).join(', ');
  process.stderr.write(`There is no scenario ${unknown.join(', ')}; there are ${names}.\n`);
  process.exit(1);
}
const rounds = Number(values.rounds ?? (values.quick ? 3 : 10));
const chosen = scenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

const write = (text: string) => void process.stdout.write(`${text}\n\n`);
const tell = (line: string) =>
  void process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${line}\n`);

const refusal = values.urgent ? raisePriority() : null;
if (refusal !== null) {
  process.stderr.write(`--urgent needs the rights to go before other programs: ${refusal}\n`);
  process.exit(1);
}
pin(process.pid, LOAD_CORE);
const upstream = await startUpstream();
const all: Played[] = [];
const reports = [await describeMachine({ rounds, isUrgent: values.urgent })];
write(reports.join());
for (const scenario of chosen) {
  const report = await play(scenario);
  reports.push(report);
  write(report);
}
upstream.close();

const results = all.map((played) => ({
  scenario: played.scenario.name,
  rounds: played.rounds,
  verdicts: verdictsOf(played),
}));
const folder = import.meta.dirname;
await writeFile(join(folder, 'last-run.json'), `${JSON.stringify(results, null, 2)}\n`);
// Only a whole run is worth keeping beside the code.
const isWhole = wanted.length === 0 && !values.quick;
await writeFile(join(folder, isWhole ? 'RESULTS.md' : 'last-run.md'), `${reports.join('\n\n')}\n`);

/** The report of a scenario. One that fails costs its own figures, not those of the others. */
async function play(scenario: Scenario): Promise<string> {
  try {
    const played = await playScenario(scenario, { upstream, isQuick: values.quick, rounds }, tell);
    all.push(played);
    return reportOf(played);
  } catch (error) {
    process.exitCode = 1;
    return `## ${scenario.name}\n\nFailed: ${messageOf(error)}`;
  }
}
