import * as limits from '../engine/request/sizes.ts';
import { builder } from './builder.ts';
import { Truncation } from './enums.ts';
import { ResponseInput } from './response-input.ts';
import { ReasoningConfigInput, TextConfigInput } from './settings-input.ts';
import { ToolChoiceInput, ToolInput } from './tools-input.ts';

export const CreateResponseInput = builder.inputType('CreateResponseInput', {
  description: 'A run to start.',
  fields: (t) => ({
    model: t.string({ description: "At most 256 characters. Absent: the server's default model." }),
    input: t.field({ type: ResponseInput, required: true, description: 'What the model is asked.' }),
    instructions: t.string({
      description: `What the model is told before everything else; at most ${limits.MAX_TEXT} characters.`,
    }),
    previousResponseId: t.id({ description: 'The response to continue: its whole branch is the history.' }),
    tools: t.field({
      type: [ToolInput],
      description: `What the model may call; at most ${limits.MAX_TOOLS}, and ${limits.MAX_MCP_SERVERS} MCP servers among them.`,
    }),
    toolChoice: t.field({
      type: ToolChoiceInput,
      description: 'What it may do with the tools; AUTO without it.',
    }),
    parallelToolCalls: t.boolean({
      required: true,
      defaultValue: true,
      description: 'false: at most one call a round; further ones are dropped.',
    }),
    maxToolCalls: t.int({
      description: 'At most this many calls of server-run tools (web search, MCP) in all rounds; at least 1.',
    }),
    maxOutputTokens: t.int({ description: 'At most this many tokens in all rounds together; at least 16.' }),
    temperature: t.float({ description: 'How much chance there is in the choice of words: 0 to 2.' }),
    topP: t.float({ description: 'Words are chosen among the likeliest that make up this share: 0 to 1.' }),
    topLogprobs: t.int({ description: 'Give this many likely tokens for each place: 0 to 20.' }),
    presencePenalty: t.float({ description: 'Avoid words that came before: -2 to 2.' }),
    frequencyPenalty: t.float({ description: 'Avoid words that came often: -2 to 2.' }),
    text: t.field({ type: TextConfigInput, description: 'How the model is to write.' }),
    reasoning: t.field({ type: ReasoningConfigInput, description: 'How the model is to think.' }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'At most 16 pairs of strings; key up to 64 and value up to 512 characters.',
    }),
    store: t.boolean({
      required: true,
      defaultValue: true,
      description: 'false: the response cannot be read, continued or listed once it has ended.',
    }),
    stream: t.boolean({
      required: true,
      defaultValue: false,
      description: 'true: the payload comes as soon as the run has started; follow it with responseStream.',
    }),
    background: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "true: queued durably, and the payload comes at once; it survives the client's leaving and the server's dying. Beats `stream`.",
    }),
    truncation: t.field({
      type: Truncation,
      required: true,
      defaultValue: 'disabled',
      description: 'What becomes of a conversation that is too long for the model.',
    }),
    serviceTier: t.string({
      description: `The upstream's class of service, passed on as it is; at most ${limits.MAX_LABEL} characters.`,
    }),
    safetyIdentifier: t.string({
      description: `A stable name of the end user, passed on to the upstream; at most ${limits.MAX_LABEL} characters.`,
    }),
    promptCacheKey: t.string({
      description: `What the upstream groups similar prompts by, passed on; at most ${limits.MAX_LABEL} characters.`,
    }),
    idempotencyKey: t.string({
      description:
        'The same key with the same input joins the same response and never starts a second run; with other input it is a conflict. Every field counts as input, stream too. At most 256 characters.',
    }),
  }),
});
