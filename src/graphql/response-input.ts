import * as limits from '../engine/request/sizes.ts';
import { builder } from './builder.ts';
import { ImageDetail, MessageRole } from './enums.ts';
import {
  McpApprovalResponseInput,
  McpCallInput,
  McpListToolsInput,
  WebSearchCallInput,
} from './tool-items-input.ts';

const ImageInput = builder.inputType('ImageInput', {
  description: 'An image for the model.',
  fields: (t) => ({
    imageUrl: t.string({
      required: true,
      description: `An http or https URL of at most ${limits.MAX_URL} characters, or a data URL of at most ${limits.MAX_DATA_URL}.`,
    }),
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
    fileData: t.string({
      description: `The file as a data URL of at most ${limits.MAX_DATA_URL} characters.`,
    }),
    fileUrl: t.string({
      description: `An http or https URL of at most ${limits.MAX_URL} characters, for upstreams that fetch files.`,
    }),
  }),
});

const FileInput = builder.inputType('FileInput', {
  description: 'A file for the model.',
  fields: (t) => ({
    filename: t.string({ description: `Its name; at most ${limits.MAX_NAME} characters.` }),
    source: t.field({ type: FileSourceInput, required: true, description: 'Where it comes from.' }),
  }),
});

const ContentPartInput = builder.inputType('ContentPartInput', {
  description: 'A piece of a message or of a tool output.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: `Text; at most ${limits.MAX_TEXT} characters.` }),
    image: t.field({ type: ImageInput, description: 'An image; in user messages and tool outputs.' }),
    file: t.field({ type: FileInput, description: 'A file; in user messages and tool outputs.' }),
    refusal: t.string({ description: 'A refusal; in assistant messages.' }),
  }),
});

const MessageContentInput = builder.inputType('MessageContentInput', {
  description: 'What a message says.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: `Text only; at most ${limits.MAX_TEXT} characters.` }),
    parts: t.field({
      type: [ContentPartInput],
      description: `Text, images and files, piece by piece; at most ${limits.MAX_PARTS}.`,
    }),
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
    callId: t.string({
      required: true,
      description: `What its output names; at most ${limits.MAX_CALL_ID} characters.`,
    }),
    name: t.string({ required: true, description: `The function; at most ${limits.MAX_NAME} characters.` }),
    arguments: t.string({ required: true, description: 'The arguments as the model wrote them.' }),
  }),
});

const ToolOutputInput = builder.inputType('ToolOutputInput', {
  description: 'What a function gave.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: `Text only; at most ${limits.MAX_TEXT} characters.` }),
    parts: t.field({
      type: [ContentPartInput],
      description: `Text, images and files, piece by piece; at most ${limits.MAX_PARTS}.`,
    }),
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
    mcpApprovalResponse: t.field({
      type: McpApprovalResponseInput,
      description: 'The answer to an approval request of the response that is continued.',
    }),
    reasoning: t.field({ type: ReasoningInput, description: 'Thoughts of a model.' }),
    webSearchCall: t.field({ type: WebSearchCallInput, description: 'A search that was made.' }),
    mcpListTools: t.field({ type: McpListToolsInput, description: 'A list of tools that was read.' }),
    itemReference: t.id({
      description: 'The id of an item of any stored response: a copy of it, under an id of its own.',
    }),
    mcpCall: t.field({ type: McpCallInput, description: 'A call of an MCP tool that was made.' }),
  }),
});

export const ResponseInput = builder.inputType('ResponseInput', {
  description: 'What the model is asked.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: `One user message; at most ${limits.MAX_TEXT} characters.` }),
    items: t.field({
      type: [InputItemInput],
      description: `Messages, calls and their outputs, in order; at most ${limits.MAX_ITEMS}.`,
    }),
  }),
});
