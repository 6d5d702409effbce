import * as limits from '../engine/request/sizes.ts';
import { builder } from './builder.ts';
import {
  AllowedToolsMode,
  HostedTool,
  McpApprovalSetting,
  SearchContextSize,
  ToolChoiceSetting,
} from './enums.ts';

/** Of every JSON that is kept. */
export const JSON_LIMITS = `At most ${limits.MAX_JSON} characters and ${limits.MAX_JSON_LEVELS} levels; no whole numbers beyond 2^53 - 1.`;

const FunctionToolInput = builder.inputType('FunctionToolInput', {
  description: 'A function that the model may call and the client runs.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Letters, digits, "_" and "-", at most 64.' }),
    description: t.string({
      description: `What it does, for the model; at most ${limits.MAX_DESCRIPTION} characters.`,
    }),
    parameters: t.field({
      type: 'JSON',
      description: `A JSON schema of its arguments; absent: it has none. ${JSON_LIMITS}`,
    }),
    strict: t.boolean({
      description: 'true: the arguments follow the schema exactly, where the upstream can.',
    }),
  }),
});

const UserLocationInput = builder.inputType('UserLocationInput', {
  description: 'Where the user is, roughly. For search providers that take it.',
  fields: (t) => ({
    city: t.string({ description: 'The city.' }),
    country: t.string({ description: 'The country: two letters, ISO 3166-1.' }),
    region: t.string({ description: 'The region or state.' }),
    timezone: t.string({ description: 'An IANA time zone.' }),
  }),
});

const WebSearchToolInput = builder.inputType('WebSearchToolInput', {
  description: 'Searching the web, run by this server.',
  fields: (t) => ({
    searchContextSize: t.field({
      type: SearchContextSize,
      defaultValue: 'medium',
      description: 'How many results of a search the model is given.',
    }),
    allowedDomains: t.stringList({
      description: `Only results of these domains and what is below them, at most ${limits.MAX_DOMAINS}; absent or empty: of all.`,
    }),
    userLocation: t.field({ type: UserLocationInput, description: 'Where the user is, roughly.' }),
  }),
});

const McpToolFilterInput = builder.inputType('McpToolFilterInput', {
  description: 'Some tools of an MCP server: those that fit everything that is given here.',
  fields: (t) => ({
    toolNames: t.stringList({ description: 'Only these. An empty list: no tool.' }),
    excludedToolNames: t.stringList({ description: 'Not these, even if toolNames has them.' }),
    readOnly: t.boolean({
      description:
        'true: only tools whose annotations say readOnlyHint; false: only those that do not say so.',
    }),
  }),
});

const McpApprovalFilterInput = builder.inputType('McpApprovalFilterInput', {
  description:
    'Which calls need approval, tool by tool. A tool that both filters match, or none, needs approval.',
  fields: (t) => ({
    always: t.field({ type: McpToolFilterInput, description: 'Calls of these tools need approval.' }),
    never: t.field({ type: McpToolFilterInput, description: 'Calls of these tools need none.' }),
  }),
});

const McpApprovalPolicyInput = builder.inputType('McpApprovalPolicyInput', {
  description: 'Which calls the client must approve.',
  isOneOf: true,
  fields: (t) => ({
    mode: t.field({ type: McpApprovalSetting, description: 'One rule for all tools.' }),
    filter: t.field({ type: McpApprovalFilterInput, description: 'A rule for some tools.' }),
  }),
});

const McpServerToolInput = builder.inputType('McpServerToolInput', {
  description: 'An MCP server, whose tools the model may call and this server runs.',
  fields: (t) => ({
    serverLabel: t.string({
      required: true,
      description: 'A name for it within the request: letters, digits, "_" and "-", at most 64.',
    }),
    serverUrl: t.string({
      required: true,
      description: `Where it is: an http or https URL of at most ${limits.MAX_URL} characters.`,
    }),
    serverDescription: t.string({ description: 'What it is for.' }),
    headers: t.field({
      type: 'JSONObject',
      description: `Header names and values: sent to the server, kept in memory for the run only, never stored nor returned. A continuation sends them again. At most 64, of ${limits.MAX_HEADER} characters each.`,
    }),
    authorization: t.string({
      description:
        'A token, or a whole value with its scheme, for the Authorization header; kept as headers are.',
    }),
    allowedTools: t.field({
      type: McpToolFilterInput,
      description: 'Absent: every tool. An empty toolNames list: no tool.',
    }),
    requireApproval: t.field({
      type: McpApprovalPolicyInput,
      description: 'Which calls the client must approve. Absent: always.',
    }),
  }),
});

export const ToolInput = builder.inputType('ToolInput', {
  description: 'A tool for the model.',
  isOneOf: true,
  fields: (t) => ({
    function: t.field({ type: FunctionToolInput, description: 'A function of the client.' }),
    webSearch: t.field({ type: WebSearchToolInput, description: 'Searching the web.' }),
    mcp: t.field({ type: McpServerToolInput, description: 'The tools of an MCP server.' }),
  }),
});

const McpToolChoiceInput = builder.inputType('McpToolChoiceInput', {
  description: 'A tool of an MCP server, or all of them.',
  fields: (t) => ({
    serverLabel: t.string({ required: true, description: 'The label of a server among the tools.' }),
    name: t.string({ description: 'The tool, as its server calls it. Absent: any tool of the server.' }),
  }),
});

const AllowedToolInput = builder.inputType('AllowedToolInput', {
  description: 'A tool that is offered although others are not.',
  isOneOf: true,
  fields: (t) => ({
    function: t.string({ description: 'The name of a function among the tools.' }),
    mcp: t.field({ type: McpToolChoiceInput, description: 'Of an MCP server.' }),
    hosted: t.field({ type: HostedTool, description: 'A tool that this server brings along.' }),
  }),
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

export const ToolChoiceInput = builder.inputType('ToolChoiceInput', {
  description: 'What the model may do with the tools.',
  isOneOf: true,
  fields: (t) => ({
    mode: t.field({ type: ToolChoiceSetting, description: 'A rule for all tools.' }),
    function: t.string({ description: 'The function to call in the first round.' }),
    mcp: t.field({
      type: McpToolChoiceInput,
      description: 'The MCP server, and its tool if one is named, to call in the first round.',
    }),
    hosted: t.field({ type: HostedTool, description: 'The tool of this server to call in the first round.' }),
    allowedTools: t.field({ type: AllowedToolsInput, description: 'Only some of the tools.' }),
  }),
});
