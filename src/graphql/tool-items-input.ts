import { builder } from './builder.ts';
import { JSON_LIMITS } from './tools-input.ts';

/** What a client gives back of what this server ran, or answers to it. */

export const McpApprovalResponseInput = builder.inputType('McpApprovalResponseInput', {
  description: 'The answer to an approval request: the call is made once, or never.',
  fields: (t) => ({
    approvalRequestId: t.id({ required: true, description: 'The id of an McpApprovalRequest.' }),
    approve: t.boolean({
      required: true,
      description:
        'true: the call is made; `tools` must name its server again, with its secrets. false: the model is told that it was denied.',
    }),
    reason: t.string({ description: 'Why, for the model.' }),
  }),
});

const WebSearchSourceInput = builder.inputType('WebSearchSourceInput', {
  description: 'A page that a search found.',
  fields: (t) => ({
    url: t.string({ required: true, description: 'Where it is: an http or https URL.' }),
    title: t.string({ description: 'Its title.' }),
  }),
});

export const WebSearchCallInput = builder.inputType('WebSearchCallInput', {
  description: 'A search that was made, given back to the model.',
  fields: (t) => ({
    query: t.string({ required: true, description: 'What was searched for.' }),
    sources: t.field({ type: [WebSearchSourceInput], description: 'What was found.' }),
  }),
});

const McpToolInput = builder.inputType('McpToolInput', {
  description: 'A tool of an MCP server.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Its name.' }),
    description: t.string({ description: 'What it does.' }),
    inputSchema: t.field({
      type: 'JSON',
      required: true,
      description: `A JSON schema of its arguments: an object. ${JSON_LIMITS}`,
    }),
    annotations: t.field({ type: 'JSONObject', description: 'What its server says of it.' }),
  }),
});

export const McpListToolsInput = builder.inputType('McpListToolsInput', {
  description: 'A list of tools that was read, kept with the conversation. It is not sent to the model.',
  fields: (t) => ({
    serverLabel: t.string({ required: true, description: 'The server.' }),
    tools: t.field({ type: [McpToolInput], required: true, description: 'Its tools.' }),
  }),
});

export const McpCallInput = builder.inputType('McpCallInput', {
  description: 'A call of an MCP tool that was made, given back to the model. It is not made again.',
  fields: (t) => ({
    serverLabel: t.string({ required: true, description: 'The server.' }),
    name: t.string({ required: true, description: 'The tool.' }),
    arguments: t.string({ required: true, description: 'The arguments as the model wrote them.' }),
    output: t.string({ description: 'What the tool gave.' }),
    error: t.string({ description: 'Why the call failed, if it did.' }),
  }),
});
