import { builder } from './builder.ts';
import {
  AllowedToolsMode,
  ImageDetail,
  MessageRole,
  ReasoningEffort,
  ReasoningSummary,
  SimpleTextFormat,
  ToolChoiceSetting,
  Verbosity,
} from './enums.ts';

const ImageInput = builder.inputType('ImageInput', {
  description: 'An image for the model.',
  fields: (t) => ({
    imageUrl: t.string({ required: true, description: 'An http, https or data URL.' }),
    detail: t.field({
      type: ImageDetail,
      required: true,
      defaultValue: 'auto',
      description: 'How closely the model looks at it.',
    }),
  }),
});

const FileSourceInput = builder.inputType('FileSourceInput', {
  description: 'Where a file comes from.',
  isOneOf: true,
  fields: (t) => ({
    fileData: t.string({ description: 'The file as a data URL.' }),
    fileUrl: t.string({ description: 'An http or https URL, for upstreams that fetch files.' }),
  }),
});

const FileInput = builder.inputType('FileInput', {
  description: 'A file for the model.',
  fields: (t) => ({
    filename: t.string({ description: 'Its name.' }),
    source: t.field({ type: FileSourceInput, required: true, description: 'Where it comes from.' }),
  }),
});

const ContentPartInput = builder.inputType('ContentPartInput', {
  description: 'A piece of a message or of a tool output.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: 'Text.' }),
    image: t.field({ type: ImageInput, description: 'An image; in user messages and tool outputs.' }),
    file: t.field({ type: FileInput, description: 'A file; in user messages and tool outputs.' }),
    refusal: t.string({ description: 'A refusal; in assistant messages.' }),
  }),
});

const MessageContentInput = builder.inputType('MessageContentInput', {
  description: 'What a message says.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: 'Text only.' }),
    parts: t.field({ type: [ContentPartInput], description: 'Text, images and files, piece by piece.' }),
  }),
});

const MessageInput = builder.inputType('MessageInput', {
  description: 'A message.',
  fields: (t) => ({
    role: t.field({ type: MessageRole, required: true, defaultValue: 'user', description: 'Who speaks.' }),
    content: t.field({ type: MessageContentInput, required: true, description: 'What is said.' }),
  }),
});

const FunctionCallInput = builder.inputType('FunctionCallInput', {
  description: 'A call that a model made, given back to it.',
  fields: (t) => ({
    callId: t.string({ required: true, description: 'What its output names.' }),
    name: t.string({ required: true, description: 'The function.' }),
    arguments: t.string({ required: true, description: 'The arguments as the model wrote them.' }),
  }),
});

const ToolOutputInput = builder.inputType('ToolOutputInput', {
  description: 'What a function gave.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: 'Text only.' }),
    parts: t.field({ type: [ContentPartInput], description: 'Text, images and files, piece by piece.' }),
  }),
});

const FunctionCallOutputInput = builder.inputType('FunctionCallOutputInput', {
  description: 'The answer to a function call.',
  fields: (t) => ({
    callId: t.string({ required: true, description: 'The call that it answers.' }),
    output: t.field({ type: ToolOutputInput, required: true, description: 'What the function gave.' }),
  }),
});

const ReasoningInput = builder.inputType('ReasoningInput', {
  description: 'Thoughts of a model, kept with the conversation. They are not sent to the model.',
  fields: (t) => ({
    content: t.stringList({ description: 'The thoughts.' }),
    summary: t.stringList({ description: 'A summary of them.' }),
    encryptedContent: t.string({ description: 'Thoughts that only the provider can read.' }),
  }),
});

const InputItemInput = builder.inputType('InputItemInput', {
  description: 'One item of an input.',
  isOneOf: true,
  fields: (t) => ({
    message: t.field({ type: MessageInput, description: 'A message.' }),
    functionCall: t.field({ type: FunctionCallInput, description: 'A call that a model made.' }),
    functionCallOutput: t.field({ type: FunctionCallOutputInput, description: 'The answer to a call.' }),
    reasoning: t.field({ type: ReasoningInput, description: 'Thoughts of a model.' }),
  }),
});

const ResponseInput = builder.inputType('ResponseInput', {
  description: 'What the model is asked.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: 'One user message.' }),
    items: t.field({ type: [InputItemInput], description: 'Messages, calls and their outputs, in order.' }),
  }),
});

const FunctionToolInput = builder.inputType('FunctionToolInput', {
  description: 'A function that the model may call and the client runs.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Letters, digits, "_" and "-", at most 64.' }),
    description: t.string({ description: 'What it does, for the model.' }),
    parameters: t.field({
      type: 'JSON',
      description: 'A JSON schema of its arguments; absent: it has none.',
    }),
    strict: t.boolean({
      description: 'true: the arguments follow the schema exactly, where the upstream can.',
    }),
  }),
});

const ToolInput = builder.inputType('ToolInput', {
  description: 'A tool for the model.',
  isOneOf: true,
  fields: (t) => ({
    function: t.field({ type: FunctionToolInput, description: 'A function of the client.' }),
  }),
});

const AllowedToolInput = builder.inputType('AllowedToolInput', {
  description: 'A tool that is offered although others are not.',
  isOneOf: true,
  fields: (t) => ({ function: t.string({ description: 'The name of a function among the tools.' }) }),
});

const AllowedToolsInput = builder.inputType('AllowedToolsInput', {
  description: 'Some of the tools. The others stay with the response but are not offered.',
  fields: (t) => ({
    mode: t.field({
      type: AllowedToolsMode,
      required: true,
      description: 'What the model may do with them.',
    }),
    tools: t.field({ type: [AllowedToolInput], required: true, description: 'The tools that are offered.' }),
  }),
});

const ToolChoiceInput = builder.inputType('ToolChoiceInput', {
  description: 'What the model may do with the tools.',
  isOneOf: true,
  fields: (t) => ({
    mode: t.field({ type: ToolChoiceSetting, description: 'A rule for all tools.' }),
    function: t.string({ description: 'The function to call in the first round.' }),
    allowedTools: t.field({ type: AllowedToolsInput, description: 'Only some of the tools.' }),
  }),
});

const JsonSchemaFormatInput = builder.inputType('JsonSchemaFormatInput', {
  description: 'JSON that follows a schema.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Letters, digits, "_" and "-", at most 64.' }),
    description: t.string({ description: 'What it is for, for the model.' }),
    schema: t.field({ type: 'JSON', required: true, description: 'A JSON schema: an object.' }),
    strict: t.boolean({ description: 'true: the text follows the schema exactly, where the upstream can.' }),
  }),
});

const TextFormatInput = builder.inputType('TextFormatInput', {
  description: 'The form of what the model writes.',
  isOneOf: true,
  fields: (t) => ({
    type: t.field({ type: SimpleTextFormat, description: 'A form without a schema.' }),
    jsonSchema: t.field({ type: JsonSchemaFormatInput, description: 'JSON that follows a schema.' }),
  }),
});

const TextConfigInput = builder.inputType('TextConfigInput', {
  description: 'How the model is to write.',
  fields: (t) => ({
    format: t.field({ type: TextFormatInput, description: 'In which form; free text without it.' }),
    verbosity: t.field({ type: Verbosity, description: 'How much.' }),
  }),
});

const ReasoningConfigInput = builder.inputType('ReasoningConfigInput', {
  description: 'How the model is to think.',
  fields: (t) => ({
    effort: t.field({ type: ReasoningEffort, description: 'How much.' }),
    summary: t.field({
      type: ReasoningSummary,
      description:
        'Kept with the response. Chat Completions takes no such setting, so it changes nothing upstream.',
    }),
  }),
});

export const CreateResponseInput = builder.inputType('CreateResponseInput', {
  description: 'A run to start.',
  fields: (t) => ({
    model: t.string({ description: "Absent: the server's default model." }),
    input: t.field({ type: ResponseInput, required: true, description: 'What the model is asked.' }),
    instructions: t.string({ description: 'What the model is told before everything else.' }),
    previousResponseId: t.id({ description: 'The response to continue: its whole branch is the history.' }),
    tools: t.field({ type: [ToolInput], description: 'What the model may call.' }),
    toolChoice: t.field({
      type: ToolChoiceInput,
      description: 'What it may do with the tools; AUTO without it.',
    }),
    parallelToolCalls: t.boolean({
      required: true,
      defaultValue: true,
      description: 'false: at most one call a round; further ones are dropped.',
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
    serviceTier: t.string({ description: "The upstream's class of service, passed on as it is." }),
    safetyIdentifier: t.string({ description: 'A stable name of the end user, passed on to the upstream.' }),
    promptCacheKey: t.string({ description: 'What the upstream groups similar prompts by, passed on.' }),
    idempotencyKey: t.string({
      description:
        'The same key with the same input joins the same response and never starts a second run; with other input it is a conflict.',
    }),
  }),
});
