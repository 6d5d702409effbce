import { firstEvents } from '../../src/engine/run/number-events.ts';
import type { ResponseEvent } from '../../src/protocol/events.ts';
import { asItemId, type ItemId } from '../../src/protocol/ids.ts';
import type { MessageItem } from '../../src/protocol/items.ts';
import type { ResponseSettings } from '../../src/protocol/request.ts';
import type { ResponseError, ResponseState, TerminalStatus } from '../../src/protocol/response.ts';
import type { Usage } from '../../src/protocol/usage.ts';

/** In a template these stand for what differs from row to row. */
export const ITEM = itemId('msg_00000000000000000000000000000000');
export const TEXT = '%text%';
export const MODEL = '%model%';
/** When a response was created, in milliseconds since 1970. */
export const TIME = 1_111_111_111_111;

export const STATUSES = ['completed', 'failed', 'incomplete', 'cancelled'] as const;

const SETTINGS: Omit<ResponseSettings, 'metadata' | 'background'> = {
  model: MODEL,
  instructions: 'Answer in the language of the question, in at most three sentences.',
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  maxToolCalls: null,
  maxOutputTokens: null,
  temperature: 0.7,
  topP: null,
  topLogprobs: null,
  presencePenalty: null,
  frequencyPenalty: null,
  text: { format: { type: 'text' }, verbosity: null },
  reasoning: null,
  truncation: 'disabled',
  store: true,
  stream: true,
  serviceTier: null,
  safetyIdentifier: null,
  promptCacheKey: null,
};

export function settingsOf(background: boolean): string {
  return JSON.stringify({ ...SETTINGS, background });
}

export const USAGE = {
  inputTokens: 41,
  cachedInputTokens: 0,
  outputTokens: 57,
  reasoningTokens: 0,
  totalTokens: 98,
} as const satisfies Usage;

export const ERROR: ResponseError = { code: 'server_error', message: 'The model closed the stream early.' };

export const QUESTION: MessageItem = {
  type: 'message',
  id: ITEM,
  role: 'user',
  status: 'completed',
  round: null,
  content: [{ type: 'input_text', text: TEXT }],
};

export function answerOf(status: TerminalStatus): MessageItem {
  return {
    type: 'message',
    id: ITEM,
    role: 'assistant',
    status: status === 'completed' ? 'completed' : 'incomplete',
    round: 0,
    content: [{ type: 'output_text', text: TEXT, annotations: [], logprobs: null }],
  };
}

/** The log of a response that said its text in one delta. */
export function logOf(status: TerminalStatus): readonly ResponseEvent[] {
  const answer = answerOf(status);
  const item = { itemId: ITEM, outputIndex: 0 };
  const part = { ...item, contentIndex: 0 };
  const empty = { type: 'output_text', text: '', annotations: [], logprobs: null } as const;
  const state: ResponseState = {
    status,
    completedAt: TIME,
    output: [answer],
    usage: status === 'completed' ? USAGE : null,
    error: status === 'failed' ? ERROR : null,
    incompleteReason: status === 'incomplete' ? 'max_output_tokens' : null,
  };
  return [
    ...firstEvents({ background: false }),
    {
      type: 'response.output_item.added',
      ...item,
      item: { ...answer, status: 'in_progress', content: [] },
      sequenceNumber: 2,
    },
    { type: 'response.content_part.added', ...part, part: empty, sequenceNumber: 3 },
    { type: 'response.output_text.delta', ...part, delta: TEXT, logprobs: null, sequenceNumber: 4 },
    { type: 'response.output_text.done', ...part, text: TEXT, sequenceNumber: 5 },
    { type: 'response.content_part.done', ...part, part: { ...empty, text: TEXT }, sequenceNumber: 6 },
    { type: 'response.output_item.done', ...item, item: answer, sequenceNumber: 7 },
    { type: `response.${status}`, state, sequenceNumber: LAST_SEQUENCE },
  ];
}

export const LAST_SEQUENCE = 8;

function itemId(text: string): ItemId {
  const id = asItemId(text);
  if (id === null) throw new Error(`"${text}" is not the id of an item.`);
  return id;
}
