import { expect } from 'vitest';
import type { StreamEvent } from './stream.ts';

// biome-ignore lint/suspicious/noExplicitAny: items as they come
type AnyItem = any;

interface Rule {
  /** What stands between the first and the last event of an item that ends so, each name with a blank behind it. */
  readonly steps: { readonly [status: string]: RegExp };
  /** What is known when the item begins and stays as it is. */
  readonly fixed: readonly string[];
  /** How the item begins, beside that. */
  readonly begins: { readonly [field: string]: unknown };
}

const MESSAGE =
  /^(ContentPartAdded ((OutputTextDelta )*(OutputTextAnnotationAdded )*OutputTextDone|(RefusalDelta )*RefusalDone) ContentPartDone )*$/;
const REASONING = /^(ContentPartAdded (ReasoningTextDelta )*ReasoningTextDone ContentPartDone )*$/;
const FUNCTION_CALL = /^(FunctionCallArgumentsDelta )*FunctionCallArgumentsDone $/;
const NOTHING = /^$/;

const RULES: { readonly [typename: string]: Rule } = {
  Message: {
    steps: { COMPLETED: MESSAGE, INCOMPLETE: MESSAGE },
    fixed: ['role'],
    begins: { content: [], text: '' },
  },
  Reasoning: {
    steps: { COMPLETED: REASONING, INCOMPLETE: REASONING },
    fixed: [],
    begins: { content: [] },
  },
  FunctionCall: {
    steps: { COMPLETED: FUNCTION_CALL, INCOMPLETE: FUNCTION_CALL, FAILED: FUNCTION_CALL },
    fixed: ['callId', 'name'],
    begins: { arguments: '', error: null },
  },
  FunctionCallOutput: {
    steps: { COMPLETED: NOTHING },
    fixed: ['callId', 'output', 'content'],
    begins: {},
  },
  WebSearchCall: {
    steps: {
      COMPLETED: /^WebSearchCallInProgress WebSearchCallSearching WebSearchCallCompleted $/,
      FAILED: /^WebSearchCallInProgress (WebSearchCallSearching )?WebSearchCallCompleted $/, // perhaps not searched at all
      INCOMPLETE: /^WebSearchCallInProgress (WebSearchCallSearching )?$/,
    },
    fixed: [],
    begins: { query: null, sources: [], error: null },
  },
  McpListTools: {
    steps: {
      COMPLETED: /^McpListToolsInProgress McpListToolsCompleted $/,
      FAILED: /^McpListToolsInProgress McpListToolsFailed $/,
      INCOMPLETE: /^McpListToolsInProgress $/,
    },
    fixed: ['serverLabel'],
    begins: { tools: [], error: null },
  },
  McpCall: {
    steps: {
      COMPLETED: /^McpCallInProgress (McpCallArgumentsDelta )*McpCallArgumentsDone McpCallCompleted $/,
      FAILED: /^McpCallInProgress (McpCallArgumentsDelta )*McpCallArgumentsDone McpCallFailed $/,
      INCOMPLETE: /^McpCallInProgress (McpCallArgumentsDelta )*McpCallArgumentsDone $/,
    },
    fixed: ['serverLabel', 'name', 'approvalRequestId'],
    begins: { arguments: '', output: null, content: [], error: null },
  },
  McpApprovalRequest: {
    steps: { COMPLETED: NOTHING, INCOMPLETE: NOTHING, FAILED: NOTHING },
    fixed: ['serverLabel', 'name'],
    begins: { arguments: '', error: null },
  },
};

/** The rules of one item, checked on all of its events: from OutputItemAdded to OutputItemDone. */
export function checkItemRules(events: readonly StreamEvent[]): void {
  const first: AnyItem = events[0]?.['item'];
  const last: AnyItem = events.at(-1)?.['item'];
  const steps = events.slice(1, -1);
  const typename: string = first.__typename;
  const rule = RULES[typename];
  if (rule === undefined) throw new Error(`A ${typename} cannot stand in an output`);
  expect(last.__typename).toBe(typename);
  expect(first).toMatchObject({ ...rule.begins, id: last.id, status: 'IN_PROGRESS' });
  for (const field of rule.fixed) expect(last[field], `${typename}.${field}`).toEqual(first[field]);
  expect(Object.keys(rule.steps), `the end of a ${typename}`).toContain(last.status);
  const names = steps.map(({ __typename }) => `${__typename.replace(/Event$/, '')} `).join('');
  expect(names, `a ${typename} that is ${last.status}`).toMatch(rule.steps[last.status] ?? NOTHING);
  for (const { delta } of steps) expect(delta, 'an empty delta').not.toBe('');
  if ('error' in last) expect(last.error === null, 'an error, or FAILED').toBe(last.status !== 'FAILED');
  checkContent(last, steps);
}

/** That what the events said, piece by piece, is what the item says in the end. */
function checkContent(item: AnyItem, steps: readonly StreamEvent[]): void {
  const all = (name: string, field: string) =>
    steps.filter(({ __typename }) => __typename === `${name}Event`).map((event) => event[field]);
  switch (item.__typename) {
    case 'Message':
    case 'Reasoning':
      return checkParts(item, steps);
    case 'FunctionCall':
      expect(all('FunctionCallArgumentsDelta', 'delta').join('')).toBe(item.arguments);
      expect(all('FunctionCallArgumentsDone', 'arguments')).toEqual([item.arguments]);
      expect(all('FunctionCallArgumentsDone', 'name')).toEqual([item.name]);
      return;
    case 'McpCall': {
      const deltas = all('McpCallArgumentsDelta', 'delta');
      expect(deltas.join('')).toBe(item.arguments);
      if (item.approvalRequestId !== null) expect(deltas.length, 'in one delta').toBeLessThanOrEqual(1);
      expect(all('McpCallArgumentsDone', 'arguments')).toEqual([item.arguments]);
      if (item.status !== 'COMPLETED') expect(item.content, 'of a call without a result').toEqual([]);
      const texts = item.content.map(textIn).filter((text: unknown) => text !== undefined);
      expect(item.output).toBe(texts.length === 0 ? null : texts.join(''));
      return;
    }
    case 'WebSearchCall': {
      const queries = all('WebSearchCallSearching', 'query');
      if (queries.length > 0) expect([item.query]).toEqual(queries);
      if (item.status !== 'COMPLETED') expect(item.sources, 'of a search without a result').toEqual([]);
      return;
    }
    case 'McpListTools':
      if (item.status !== 'COMPLETED') expect(item.tools, 'of a listing without a result').toEqual([]);
      return;
    default:
      return; // comes whole
  }
}

/** Every part, from its ContentPartAdded to its ContentPartDone. */
function checkParts(item: AnyItem, steps: readonly StreamEvent[]): void {
  const parts: StreamEvent[][] = [];
  for (const event of steps) {
    if (event.__typename === 'ContentPartAddedEvent') parts.push([]);
    parts.at(-1)?.push(event);
  }
  expect(parts.length).toBe(item.content.length);
  for (const [index, events] of parts.entries()) {
    expect(events.map((event) => event['contentIndex'])).toEqual(events.map(() => index));
    const text = events.map(({ delta }) => delta ?? '').join('');
    expect(textIn(events[0]?.['part'])).toBe('');
    const whole: AnyItem = events.at(-2);
    expect(textIn(whole), 'the done event').toBe(text);
    const part: AnyItem = events.at(-1)?.['part'];
    expect(textIn(part)).toBe(text);
    expect(part).toEqual(item.content[index]);
    const added = events.filter(({ annotationIndex }) => annotationIndex !== undefined);
    expect(added.map(({ annotationIndex }) => annotationIndex)).toEqual(added.map((_, each) => each));
    if (part.annotations) expect(added.map(({ annotation }) => annotation)).toEqual(part.annotations);
  }
}

function textIn(part: { readonly text?: string; readonly refusal?: string }): string | undefined {
  return part.text ?? part.refusal;
}
