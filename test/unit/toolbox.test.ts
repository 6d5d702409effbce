import { expect, test } from 'vitest';
import { createToolbox } from '../../src/tools/toolbox.ts';
import { WEB_SEARCH_TOOL } from '../../src/tools/web-search.ts';
import { FIRST, fn, listed, origins, search, server, shownBy, toolbox } from '../support/toolbox.ts';

test('every tool is shown in the order of the request and routed by the name it is shown under', () => {
  const weather = fn('weather', { description: 'Looks.', parameters: { type: 'object' }, strict: true });
  const files = server('files');
  const read = listed('read', { description: 'Reads.', inputSchema: { $defs: {}, oddly: ['written'] } });
  const box = createToolbox({
    tools: [weather, files, search],
    listings: new Map([['files', [read]]]),
    choice: { mode: 'auto' },
  });
  expect(box.offer(FIRST)).toEqual({
    tools: [
      { name: 'weather', description: 'Looks.', parameters: { type: 'object' }, strict: true },
      {
        name: 'read',
        description: 'Reads.',
        parameters: { $defs: {}, oddly: ['written'] },
        strict: null,
      },
      WEB_SEARCH_TOOL,
    ],
    choice: { mode: 'auto' },
  });
  expect(box.route('weather')).toEqual({ kind: 'client' });
  expect(box.route('web_search')).toEqual({ kind: 'web_search', tool: search, calledAs: 'web_search' });
  expect(box.route('read')).toEqual({
    kind: 'mcp',
    server: files,
    tool: read,
    needsApproval: false,
    calledAs: 'read',
  });
  expect(box.missing).toBeNull();
});

test('a server whose listing failed offers nothing, and one that was listed for no tool neither', () => {
  const box = toolbox([server('gone'), fn('f')], { other: ['read'] });
  expect(shownBy(box)).toEqual(['f']);
  expect(box.route('read')).toEqual({ kind: 'unknown' });
});

test('the filter of a server holds for a list that it was not applied to', () => {
  const allowedTools = { toolNames: ['read'], excludedToolNames: null, readOnly: null };
  const box = toolbox([server('files', { allowedTools })], { files: ['read', 'remove'] });
  expect(shownBy(box)).toEqual(['read']);
  expect(box.route('remove')).toEqual({ kind: 'unknown' });
});

test('the route says whether a call needs approval', () => {
  const requireApproval = {
    mode: 'filtered' as const,
    always: null,
    never: { toolNames: ['read'], excludedToolNames: null, readOnly: null },
  };
  const box = toolbox([server('files', { requireApproval })], { files: ['read', 'remove'] });
  expect(box.route('read')).toMatchObject({ needsApproval: false });
  expect(box.route('remove')).toMatchObject({ needsApproval: true });
});

test('a name that a server lists twice is one tool, the first', () => {
  const box = createToolbox({
    tools: [server('a')],
    listings: new Map([['a', [listed('read', { description: 'first' }), listed('read')]]]),
    choice: { mode: 'auto' },
  });
  expect(box.offer(FIRST).tools).toMatchObject([{ name: 'read', description: 'first' }]);
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])(
  'a call of %j that nobody offers is unknown',
  (name) => {
    const box = toolbox([fn('f'), server('a'), search], { a: ['read'] });
    expect(box.route(name)).toEqual({ kind: 'unknown' });
  },
);

test('tools may be called __proto__ and constructor', () => {
  const box = toolbox([fn('constructor'), server('__proto__')], {
    ['__proto__']: ['__proto__', 'toString'],
  });
  expect(origins(box)).toEqual([
    ['constructor', 'client'],
    ['__proto__', '__proto__/__proto__'],
    ['toString', '__proto__/toString'],
  ]);
});
