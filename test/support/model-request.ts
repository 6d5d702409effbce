import type { ModelRequest } from '../../src/model/model-client.ts';
import { newItemId } from '../../src/protocol/ids.ts';
import type { ResponseSettings } from '../../src/protocol/request.ts';

/** A request that asks for nothing in particular, with what the test is about on top. */
export function modelRequest(
  more: Partial<ModelRequest> = {},
  settings: Partial<ResponseSettings> = {},
): ModelRequest {
  const plain: ResponseSettings = {
    model: 'test-model',
    instructions: null,
    tools: [],
    toolChoice: { mode: 'auto' },
    parallelToolCalls: true,
    maxToolCalls: null,
    maxOutputTokens: null,
    temperature: null,
    topP: null,
    topLogprobs: null,
    presencePenalty: null,
    frequencyPenalty: null,
    text: { format: { type: 'text' }, verbosity: null },
    reasoning: null,
    metadata: {},
    store: true,
    stream: false,
    background: false,
    truncation: 'disabled',
    serviceTier: null,
    safetyIdentifier: null,
    promptCacheKey: null,
    ...settings,
  };
  return {
    settings: plain,
    context: [
      {
        type: 'message',
        id: newItemId('msg'),
        status: 'completed',
        round: null,
        role: 'user',
        content: [{ type: 'input_text', text: 'Hi' }],
      },
    ],
    tools: [],
    toolChoice: { mode: 'auto' },
    maxOutputTokens: null,
    ...more,
  };
}
