import type { EventDraft, EventType, ResponseEvent, ToolStep } from '../../src/protocol/events.ts';
import type { ResponseId } from '../../src/protocol/ids.ts';
import type { ResponseBase, ResponseState } from '../../src/protocol/response.ts';
import type { Tool, ToolChoice } from '../../src/protocol/tools.ts';
import { modelRequest } from './model-request.ts';
import {
  anyAnnotation,
  anyItemId,
  anyItems,
  anyLogprobs,
  anyOutputPart,
  anyText,
  oneOf,
  orNull,
} from './sample-items.ts';

type Random = (limit: number) => number;

/** A response with settings of every kind. */
export function anyBase(random: Random): ResponseBase {
  const tools: readonly Tool[] = [
    {
      type: 'function',
      name: 'f',
      description: anyText(random),
      parameters: { a: anyText(random) },
      strict: true,
    },
    {
      type: 'web_search',
      searchContextSize: 'low',
      allowedDomains: ['example.com'],
      userLocation: { city: anyText(random), country: 'DE', region: null, timezone: null },
    },
    {
      type: 'mcp',
      serverLabel: anyText(random),
      serverUrl: 'https://example.com',
      serverDescription: null,
      headerNames: ['x-key'],
      allowedTools: { toolNames: [anyText(random)], excludedToolNames: null, readOnly: true },
      requireApproval: { mode: 'always', always: null, never: null },
    },
  ];
  return {
    id: `resp_${'a1'.repeat(16)}` as ResponseId,
    createdAt: 1_700_000_000_123,
    previousResponseId: orNull(random, `resp_${'b2'.repeat(16)}` as ResponseId),
    settings: modelRequest(
      {},
      {
        tools,
        instructions: orNull(random, anyText(random)),
        toolChoice: anyToolChoice(random),
        temperature: orNull(random, 0.1),
        maxOutputTokens: orNull(random, 2 ** 31 - 1),
        text: {
          format: { type: 'json_schema', name: 'n', description: null, schema: { x: 1 }, strict: null },
          verbosity: 'low',
        },
        reasoning: { effort: 'high', summary: null },
        metadata: { key: anyText(random) },
      },
    ).settings,
  };
}

function anyToolChoice(random: Random): ToolChoice {
  const allowed = {
    type: 'mcp',
    serverLabel: anyText(random),
    name: orNull(random, anyText(random)),
  } as const;
  return oneOf<ToolChoice>(random, [
    { mode: 'auto' },
    { mode: 'mcp', serverLabel: anyText(random), name: null },
    { mode: 'allowed_tools', allowedToolsMode: 'auto', allowedTools: [allowed] },
  ]);
}

const STATUSES = ['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled'] as const;

function anyState(random: Random): ResponseState {
  const tokens = {
    inputTokens: 1,
    cachedInputTokens: 0,
    outputTokens: 2,
    reasoningTokens: 0,
    totalTokens: 3,
  };
  return {
    status: oneOf(random, STATUSES),
    completedAt: orNull(random, 1_700_000_001_000),
    output: anyItems(random),
    usage: orNull(random, tokens),
    error: orNull(random, { code: 'server_error', message: anyText(random) }),
    incompleteReason: orNull(random, 'max_rounds'),
  };
}

/** How to make an event of each type, by its type: the compiler finds the missing one. */
const DRAFTS: { readonly [Type in EventType]: (random: Random) => EventDraft } = {
  'response.created': (random) => ({ type: 'response.created', state: anyState(random) }),
  'response.queued': (random) => ({ type: 'response.queued', state: anyState(random) }),
  'response.in_progress': (random) => ({ type: 'response.in_progress', state: anyState(random) }),
  'response.completed': (random) => ({ type: 'response.completed', state: anyState(random) }),
  'response.incomplete': (random) => ({ type: 'response.incomplete', state: anyState(random) }),
  'response.failed': (random) => ({ type: 'response.failed', state: anyState(random) }),
  'response.cancelled': (random) => ({ type: 'response.cancelled', state: anyState(random) }),
  'response.snapshot': (random) => ({ type: 'response.snapshot', state: anyState(random) }),
  'response.output_item.added': (random) => anyItem('response.output_item.added', random),
  'response.output_item.done': (random) => anyItem('response.output_item.done', random),
  'response.content_part.added': (random) => anyPart('response.content_part.added', random),
  'response.content_part.done': (random) => anyPart('response.content_part.done', random),
  'response.output_text.delta': (random) => ({
    ...inPart(random),
    type: 'response.output_text.delta',
    delta: anyText(random),
    logprobs: orNull(random, anyLogprobs(random)),
  }),
  'response.output_text.done': (random) => said('response.output_text.done', random),
  'response.output_text.annotation.added': (random) => ({
    ...inPart(random),
    type: 'response.output_text.annotation.added',
    annotationIndex: random(5),
    annotation: anyAnnotation(random),
  }),
  'response.refusal.delta': (random) => {
    return { ...inPart(random), type: 'response.refusal.delta', delta: anyText(random) };
  },
  'response.refusal.done': (random) => {
    return { ...inPart(random), type: 'response.refusal.done', refusal: anyText(random) };
  },
  'response.function_call_arguments.delta': (random) => {
    return { ...inItem(random), type: 'response.function_call_arguments.delta', delta: anyText(random) };
  },
  'response.function_call_arguments.done': (random) => ({
    ...inItem(random),
    type: 'response.function_call_arguments.done',
    name: anyText(random),
    arguments: anyText(random),
  }),
  'response.reasoning_text.delta': (random) => {
    return { ...inPart(random), type: 'response.reasoning_text.delta', delta: anyText(random) };
  },
  'response.reasoning_text.done': (random) => said('response.reasoning_text.done', random),
  'response.web_search_call.in_progress': (random) => step('response.web_search_call.in_progress', random),
  'response.web_search_call.searching': (random) => ({
    ...inItem(random),
    type: 'response.web_search_call.searching',
    arguments: anyText(random),
    query: anyText(random),
    usage: null,
  }),
  'response.web_search_call.completed': (random) => step('response.web_search_call.completed', random),
  'response.mcp_list_tools.in_progress': (random) => step('response.mcp_list_tools.in_progress', random),
  'response.mcp_list_tools.completed': (random) => step('response.mcp_list_tools.completed', random),
  'response.mcp_list_tools.failed': (random) => step('response.mcp_list_tools.failed', random),
  'response.mcp_call_arguments.delta': (random) => {
    return { ...inItem(random), type: 'response.mcp_call_arguments.delta', delta: anyText(random) };
  },
  'response.mcp_call_arguments.done': (random) => ({
    ...inItem(random),
    type: 'response.mcp_call_arguments.done',
    arguments: anyText(random),
    starts: true,
    usage: null,
  }),
  'response.mcp_call.in_progress': (random) => step('response.mcp_call.in_progress', random),
  'response.mcp_call.completed': (random) => step('response.mcp_call.completed', random),
  'response.mcp_call.failed': (random) => step('response.mcp_call.failed', random),
};

/** A draft of each type of event, and one more for each type of item. */
export function anyDrafts(random: Random): readonly EventDraft[] {
  const items = anyItems(random).map((item): EventDraft => {
    return { ...inItem(random), type: 'response.output_item.done', item };
  });
  return [...Object.values(DRAFTS).map((make) => make(random)), ...items];
}

/** The same, numbered from `first`. */
export function anyEvents(random: Random, first = 0): readonly ResponseEvent[] {
  return anyDrafts(random).map((draft, index) => ({ ...draft, sequenceNumber: first + index }));
}

function inItem(random: Random) {
  return { itemId: anyItemId(random), outputIndex: random(1000) };
}

function inPart(random: Random) {
  return { ...inItem(random), contentIndex: random(3) };
}

function anyItem(
  type: 'response.output_item.added' | 'response.output_item.done',
  random: Random,
): EventDraft {
  const [first, ...more] = anyItems(random);
  if (first === undefined) throw new Error('There are no items.');
  return { ...inItem(random), type, item: oneOf(random, [first, ...more]) };
}

function anyPart(
  type: 'response.content_part.added' | 'response.content_part.done',
  random: Random,
): EventDraft {
  return { ...inPart(random), type, part: anyOutputPart(random) };
}

function said(
  type: 'response.output_text.done' | 'response.reasoning_text.done',
  random: Random,
): EventDraft {
  return { ...inPart(random), type, text: anyText(random) };
}

function step(type: ToolStep, random: Random): EventDraft {
  return { ...inItem(random), type };
}
