import { coerceInputValue, isInputObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { checkRequest, readRequest } from '../../src/engine/request/check-request.ts';
import type { CreateInput } from '../../src/engine/request/create-input.ts';
import { schema } from '../../src/graphql/schema.ts';
import { asResponseId } from '../../src/protocol/ids.ts';
import { type Probe, tooMuch } from '../support/too-much.ts';

const found = schema.getType('CreateResponseInput');
if (!isInputObjectType(found)) throw new Error('There is no such input.');
const type = found;
const probes = [...tooMuch(type)];

const rules = { defaultModel: 'm', referenced: new Map(), hasWebSearch: true, allowPrivate: false };

/** The paths that a request is refused for, as the engine says without a database. */
function refusedAt({ value }: Probe): readonly string[] {
  const input = coerceInputValue(value, type) as CreateInput;
  const checked = checkRequest(readRequest(input), rules);
  const errors = 'errors' in checked ? checked.errors : [];
  for (const { message } of errors) expect(message.length).toBeLessThan(600);
  return errors.map(({ path }) => (path ?? []).join('.'));
}

/** Places inside a JSON whose own pairs are named. */
const BY_PAIR = /^(metadata|tools\.0\.mcp\.headers)$/;

test('the walk finds every field of a request that can grow', () => {
  const kinds = Map.groupBy(probes, ({ kind }) => kind);
  expect(kinds.get('characters')?.length).toBeGreaterThan(50);
  expect(kinds.get('entries')?.length).toBeGreaterThan(15);
  expect(kinds.get('levels')?.length).toBeGreaterThan(5);
});

test.each(probes.map((probe): [string, string, Probe] => [probe.path.join('.'), probe.kind, probe]))(
  '%s with too many %s is refused by its name',
  (place, _, probe) => {
    // Looked up in the database, which is not asked for what is no id at all.
    if (place === 'previousResponseId') return expect(asResponseId('x'.repeat(21_000_000))).toBeNull();
    const at = BY_PAIR.test(place) ? `${place}.a` : place;
    expect(refusedAt(probe)).toContain(at);
  },
);
