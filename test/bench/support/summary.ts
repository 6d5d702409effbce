import type { Played } from './play-scenario.ts';
import type { Limit, Target } from './scenario.ts';
import type { ServerName } from './server-names.ts';

/** Smallest, middle and largest of the rounds. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number) => sorted[place] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    min: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    max: at(sorted.length - 1),
  };
}

/**
 * Two servers that differ by less are equal: a shared machine tells them apart no better. A ratio that misses its target
 * by less is told as such.
 */
const EQUAL = 1.3;

/** A claim and what became of it. */
export interface Verdict extends Spread {
  readonly claim: string;
  readonly target: string;
  readonly holds: 'yes' | 'equal' | 'no';
}

/** The figure of a server in each round that has it. */
export function figuresOf({ rounds }: Played, name: ServerName, column: string): readonly number[] {
  return rounds.flatMap((round) => round[name]?.[column] ?? []);
}

export function columnsOf({ rounds }: Played): readonly string[] {
  return [...new Set(rounds.flatMap((round) => Object.values(round).flatMap(Object.keys)))];
}

/** Ratios are taken inside each round; their median decides. */
export function verdictsOf(played: Played): readonly Verdict[] {
  const { targets, limits = [] } = played.scenario;
  return [
    ...targets.map((target) => judgeTarget(played, target)),
    ...limits.map((limit) => judgeLimit(played, limit)),
  ];
}

function judgeTarget({ rounds }: Played, { column, of, against, sense, ratio }: Target): Verdict {
  const ratios = rounds.flatMap((round) => {
    const [ours, theirs] = [round[of]?.[column], round[against]?.[column]];
    return ours === undefined || !theirs ? [] : [ours / theirs]; // to nothing there is no ratio
  });
  const spread = spreadOf(ratios);
  return {
    ...spread,
    claim: `${of} / ${against}, ${column}`,
    target: `${sense === 'at most' ? '≤' : '≥'} ${ratio} ×`,
    holds: judge(sense === 'at most' ? spread.median / ratio : ratio / spread.median),
  };
}

/** `excess`: how many times what may be. */
function judge(excess: number): Verdict['holds'] {
  if (excess <= 1) return 'yes';
  return excess < EQUAL ? 'equal' : 'no';
}

function judgeLimit(played: Played, { column, of, atMost }: Limit): Verdict {
  const spread = spreadOf(figuresOf(played, of, column));
  const holds = spread.median <= atMost ? 'yes' : 'no';
  return { ...spread, claim: `${of}, ${column}`, target: `≤ ${atMost}`, holds };
}
