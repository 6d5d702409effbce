import { expect, test } from 'vitest';
import { joinParts } from '../../src/engine/run/join-parts.ts';
import type { ModelPart } from '../../src/model/model-client.ts';
import { LoopLoad } from '../../src/util/loop-load.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { anyAnnotation, anyLogprobs, anyText, oneOf } from '../support/sample-items.ts';

const SEED = chooseSeed();

type Random = (limit: number) => number;

function anyPart(random: Random): ModelPart {
  const text = anyText(random);
  return oneOf<ModelPart>(random, [
    { type: 'text', text, logprobs: null },
    { type: 'text', text, logprobs: null },
    { type: 'text', text, logprobs: anyLogprobs(random) },
    { type: 'reasoning', text, encrypted: null },
    { type: 'reasoning', text, encrypted: 'secret' },
    { type: 'refusal', text },
    { type: 'arguments', call: random(2), delta: text },
    { type: 'arguments', call: random(2), delta: text },
    { type: 'call', call: random(2), callId: null, name: text },
    { type: 'annotation', annotation: anyAnnotation(random) },
    { type: 'finish', reason: 'stop' },
  ]);
}

/** What a part is beside its text; null if it says something more, and stands for itself. */
function kindOf(part: ModelPart): string | null {
  if (part.type === 'text') return part.logprobs === null ? 'text' : null;
  if (part.type === 'reasoning') return part.encrypted === null ? 'reasoning' : null;
  if (part.type === 'refusal') return 'refusal';
  return part.type === 'arguments' ? `arguments ${part.call}` : null;
}

const plainTextOf = (part: ModelPart) => ('text' in part ? part.text : 'delta' in part ? part.delta : '');

/** Unit by unit, each with its kind: the same for parts that say the same. */
const spelt = (parts: readonly ModelPart[]) =>
  parts.flatMap((part): readonly (ModelPart | string)[] => {
    const kind = kindOf(part);
    return kind === null
      ? [part]
      : plainTextOf(part)
          .split('')
          .map((unit) => `${kind}: ${unit}`);
  });

test(`joined parts say the same in the same order, and nothing is left to join (TEST_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  for (let times = 0; times < 1000; times++) {
    const parts = Array.from({ length: random(30) }, () => anyPart(random));
    const joined = joinParts(parts);
    expect(spelt(joined)).toEqual(spelt(parts));
    const kinds = joined.map(kindOf);
    for (const [index, kind] of kinds.entries()) if (kind !== null) expect(kinds[index + 1]).not.toBe(kind);
  }
});

test('the share of its time that a loop is busy is near 1 when it never rests, and falls when it does', async () => {
  const load = new LoopLoad(20);
  const until = performance.now() + 60;
  while (performance.now() < until) await new Promise(setImmediate);
  const busy = load.share();
  expect(busy).toBeGreaterThan(0.9);
  expect(load.share()).toBe(busy); // it is not judged anew each time
  await expect.poll(() => load.share(), { interval: 30, timeout: 5000 }).toBeLessThan(0.5);
});
