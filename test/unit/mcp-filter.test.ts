import { describe, expect, test } from 'vitest';
import type { McpToolFilter } from '../../src/protocol/tools.ts';
import { isAllowed, needsApproval } from '../../src/tools/mcp-filter.ts';

const filter = (given: Partial<McpToolFilter>): McpToolFilter => ({
  toolNames: null,
  excludedToolNames: null,
  readOnly: null,
  ...given,
});
const plain = { name: 'plain', annotations: null };
const reader = { name: 'reader', annotations: { readOnlyHint: true } };
const writer = { name: 'writer', annotations: { readOnlyHint: false } };
const liar = { name: 'liar', annotations: { readOnlyHint: 'true' } };

const allowed = (given: McpToolFilter | null) =>
  [plain, reader, writer, liar].filter((tool) => isAllowed(given, tool)).map(({ name }) => name);

test.each([
  ['no filter allows every tool', null, ['plain', 'reader', 'writer', 'liar']],
  ['a filter without conditions allows every tool', filter({}), ['plain', 'reader', 'writer', 'liar']],
  ['names allow what they name', filter({ toolNames: ['plain', 'other'] }), ['plain']],
  ['no names allow nothing', filter({ toolNames: [] }), []],
  ['names are compared exactly', filter({ toolNames: ['Plain', 'plai'] }), []],
  ['excluded names take away', filter({ excludedToolNames: ['plain', 'liar'] }), ['reader', 'writer']],
  [
    'nothing excluded takes nothing away',
    filter({ excludedToolNames: [] }),
    ['plain', 'reader', 'writer', 'liar'],
  ],
  [
    'excluding beats naming',
    filter({ toolNames: ['plain', 'reader'], excludedToolNames: ['plain'] }),
    ['reader'],
  ],
  ['read-only tools are those that say true', filter({ readOnly: true }), ['reader']],
  ['the others are all that do not', filter({ readOnly: false }), ['plain', 'writer', 'liar']],
  ['all conditions must hold', filter({ toolNames: ['reader', 'writer'], readOnly: false }), ['writer']],
])('%s', (_, given, names) => {
  expect(allowed(given)).toEqual(names);
});

describe('approval', () => {
  const filtered = (always: McpToolFilter | null, never: McpToolFilter | null) => ({
    mode: 'filtered' as const,
    always,
    never,
  });
  const asked = (policy: Parameters<typeof needsApproval>[0]) =>
    [plain, reader, writer].filter((tool) => needsApproval(policy, tool)).map(({ name }) => name);
  const everything = ['plain', 'reader', 'writer'];

  test.each([
    ['always is for every tool', { mode: 'always', always: null, never: filter({}) } as const, everything],
    ['never is for none', { mode: 'never', always: filter({}), never: null } as const, []],
    ['without filters it is needed', filtered(null, null), everything],
    ['a tool that never needs it is spared', filtered(null, filter({ readOnly: true })), ['plain', 'writer']],
    [
      'what is not always asked is asked if nothing spares it',
      filtered(filter({ toolNames: ['plain'] }), null),
      everything,
    ],
    ['always beats never', filtered(filter({ toolNames: ['reader'] }), filter({})), ['reader']],
    [
      'what neither filter matches is asked',
      filtered(filter({ toolNames: ['plain'] }), filter({ toolNames: ['writer'] })),
      ['plain', 'reader'],
    ],
  ])('%s', (_, policy, names) => {
    expect(asked(policy)).toEqual(names);
  });
});
