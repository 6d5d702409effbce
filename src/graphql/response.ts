import { isPartial, type ResponseView } from '../engine/read-responses.ts';
import { outputTextOf } from '../protocol/items.ts';
import { pageArguments } from './connection.ts';
import type { Context } from './context.ts';
import { InputItemScope, ResponseStatus, SortOrder, Truncation } from './enums.ts';
import { inputItemsOf } from './input-items.ts';
import { Item, ItemConnection } from './item-types.ts';
import { Node } from './node.ts';
import { Response } from './response-ref.ts';
import { continuationsOf, ResponseConnection } from './responses.ts';
import { IncompleteDetails, ReasoningConfig, ResponseError, TextConfig, Usage } from './settings.ts';
import { ToolChoice } from './tool-choice.ts';
import { Tool } from './tools.ts';

Response.implement({
  description: 'One run: what was asked for, what came out, and how it ended.',
  interfaces: [Node],
  fields: (t) => ({
    status: t.field({
      type: ResponseStatus,
      description: 'Where it stands.',
      resolve: ({ state }) => state.status,
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was created.',
      resolve: ({ base }) => new Date(base.createdAt),
    }),
    completedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it ended, however it ended; null while it is in flight.',
      resolve: ({ state }) => (state.completedAt === null ? null : new Date(state.completedAt)),
    }),
    previousResponse: t.field({
      type: Response,
      nullable: true,
      description: 'The response that this one continues.',
      resolve: ({ base }, _args, { load }) =>
        base.previousResponseId && load.response(base.previousResponseId),
    }),
    previousResponseId: t.id({
      nullable: true,
      description: 'Also when that response has been deleted and previousResponse reads null.',
      resolve: ({ base }) => base.previousResponseId,
    }),
    continuations: t.field({
      type: ResponseConnection,
      description: 'The responses that continue this one (branches), oldest first.',
      args: pageArguments(t.arg),
      resolve: ({ base }, args, context) => continuationsOf(context, base.id, args),
    }),
    inputItems: t.field({
      type: ItemConnection,
      description: 'What the model was given.',
      args: {
        ...pageArguments(t.arg),
        order: t.arg({ type: SortOrder, required: true, defaultValue: 'desc', description: 'The order.' }),
        scope: t.arg({
          type: InputItemScope,
          required: true,
          defaultValue: 'all',
          description: 'How much of it.',
        }),
      },
      resolve: ({ base }, args, context) => inputItemsOf(context, base.id, args),
    }),
    output: t.field({
      type: [Item],
      description: 'What came out, in order; while the run is in flight, what has come out so far.',
      resolve: async (view, _args, context) => {
        const responseId = view.base.settings.store ? view.base.id : null;
        return (await outputOf(view, context)).map((item) => ({ item, responseId }));
      },
    }),
    pendingItems: t.field({
      type: [Item],
      description:
        'What waits for the client: function calls without output, approval requests without answer.',
      resolve: (view, _args, context) => pendingItems(view, context),
    }),
    outputText: t.string({
      description: 'The text of every output message, joined.',
      resolve: async (view, _args, context) => outputTextOf(await outputOf(view, context)),
    }),
    usage: t.field({
      type: Usage,
      nullable: true,
      description: 'The tokens of the run; null if the upstream reports none.',
      resolve: async (view, _args, { load }) =>
        isPartial(view) ? (await load.state(view)).usage : view.state.usage,
    }),
    error: t.field({
      type: ResponseError,
      nullable: true,
      description: 'Why it failed, with status FAILED.',
      resolve: ({ state }) => state.error,
    }),
    incompleteDetails: t.field({
      type: IncompleteDetails,
      nullable: true,
      description: 'Why it stopped early, with status INCOMPLETE.',
      resolve: ({ state }) => state.incompleteReason && { reason: state.incompleteReason },
    }),
    streamCursor: t.string({
      description:
        'Where this snapshot stands in the event stream: responseStream(after:) from here repeats nothing.',
      resolve: ({ base, sequenceNumber }, _args, { engine }) => engine.cursorOf(base.id, sequenceNumber),
    }),
    model: t.string({ description: 'The model.', resolve: ({ base }) => base.settings.model }),
    instructions: t.string({
      nullable: true,
      description: 'What the model was told before everything else. Not inherited by continuations.',
      resolve: ({ base }) => base.settings.instructions,
    }),
    tools: t.field({
      type: [Tool],
      description: 'The tools that the model was offered. Not inherited by continuations.',
      resolve: ({ base }) => base.settings.tools,
    }),
    toolChoice: t.field({
      type: ToolChoice,
      description: 'What the model may do with the tools.',
      resolve: ({ base }) => base.settings.toolChoice,
    }),
    parallelToolCalls: t.boolean({
      description: 'Whether the model may make several calls at once.',
      resolve: ({ base }) => base.settings.parallelToolCalls,
    }),
    maxToolCalls: t.int({
      nullable: true,
      description: 'How many calls of server-run tools (web search, MCP) the whole run may make.',
      resolve: ({ base }) => base.settings.maxToolCalls,
    }),
    maxOutputTokens: t.int({
      nullable: true,
      description: 'How many tokens the whole run may write.',
      resolve: ({ base }) => base.settings.maxOutputTokens,
    }),
    temperature: t.float({
      nullable: true,
      description: 'How much chance there is in the choice of words: 0 to 2.',
      resolve: ({ base }) => base.settings.temperature,
    }),
    topP: t.float({
      nullable: true,
      description: 'Words are chosen among the likeliest that make up this share: 0 to 1.',
      resolve: ({ base }) => base.settings.topP,
    }),
    topLogprobs: t.int({
      nullable: true,
      description: 'How many likely tokens are given for each place: 0 to 20.',
      resolve: ({ base }) => base.settings.topLogprobs,
    }),
    presencePenalty: t.float({
      nullable: true,
      description: 'How much words that came before are avoided: -2 to 2.',
      resolve: ({ base }) => base.settings.presencePenalty,
    }),
    frequencyPenalty: t.float({
      nullable: true,
      description: 'How much words that came often are avoided: -2 to 2.',
      resolve: ({ base }) => base.settings.frequencyPenalty,
    }),
    text: t.field({
      type: TextConfig,
      description: 'How the model is to write.',
      resolve: ({ base }) => base.settings.text,
    }),
    reasoning: t.field({
      type: ReasoningConfig,
      nullable: true,
      description: 'How the model is to think.',
      resolve: ({ base }) => base.settings.reasoning,
    }),
    metadata: t.field({
      type: 'JSONObject',
      description: "The caller's own notes: pairs of strings.",
      resolve: ({ base }) => base.settings.metadata,
    }),
    store: t.boolean({
      description: 'Whether it can be read and continued later.',
      resolve: ({ base }) => base.settings.store,
    }),
    stream: t.boolean({
      description: 'Whether createResponse returned as soon as the run had started.',
      resolve: ({ base }) => base.settings.stream,
    }),
    background: t.boolean({
      description: 'Whether it was queued, to be run whatever becomes of the client and of one server.',
      resolve: ({ base }) => base.settings.background,
    }),
    truncation: t.field({
      type: Truncation,
      description: 'What becomes of a conversation that is too long for the model.',
      resolve: ({ base }) => base.settings.truncation,
    }),
    serviceTier: t.string({
      nullable: true,
      description: "The upstream's class of service that was asked for.",
      resolve: ({ base }) => base.settings.serviceTier,
    }),
    safetyIdentifier: t.string({
      nullable: true,
      description: 'A stable name of the end user, for the upstream.',
      resolve: ({ base }) => base.settings.safetyIdentifier,
    }),
    promptCacheKey: t.string({
      nullable: true,
      description: 'What the upstream groups similar prompts by.',
      resolve: ({ base }) => base.settings.promptCacheKey,
    }),
  }),
});

async function outputOf(view: ResponseView, { load }: Context) {
  return view.output ?? (await load.state(view)).output;
}

async function pendingItems(view: ResponseView, context: Context) {
  const { base, state } = view;
  if (state.status !== 'completed') return [];
  if (base.settings.store) {
    return (await context.load.pendingItems(base.id)).map((item) => ({ item, responseId: base.id }));
  }
  // What is not stored is continued by nothing here: every call that has no output yet waits. It asks for no approvals.
  const output = await outputOf(view, context);
  const answered = new Set(
    output.flatMap((item) => (item.type === 'function_call_output' ? [item.callId] : [])),
  );
  return output.flatMap((item) =>
    item.type === 'function_call' && !answered.has(item.callId) ? [{ item, responseId: null }] : [],
  );
}
