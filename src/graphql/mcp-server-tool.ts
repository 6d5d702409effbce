import type {
  McpToolFilter as FilterShape,
  McpApprovalPolicy as PolicyShape,
  McpServerTool as ServerShape,
} from '../protocol/tools.ts';
import { builder } from './builder.ts';
import { McpApprovalMode } from './enums.ts';

const McpToolFilter = builder.objectRef<FilterShape>('McpToolFilter').implement({
  description: 'Some tools of an MCP server: those that fit everything that is given here.',
  fields: (t) => ({
    toolNames: t.stringList({
      nullable: true,
      description: 'Only these; an empty list: no tool.',
      resolve: ({ toolNames }) => toolNames,
    }),
    excludedToolNames: t.stringList({
      nullable: true,
      description: 'Not these, even if toolNames has them.',
      resolve: ({ excludedToolNames }) => excludedToolNames,
    }),
    readOnly: t.exposeBoolean('readOnly', {
      nullable: true,
      description:
        'True: only tools whose annotations say readOnlyHint; false: only those that do not say so.',
    }),
  }),
});

const McpApprovalPolicy = builder.objectRef<PolicyShape>('McpApprovalPolicy').implement({
  description: 'Which calls the client must approve.',
  fields: (t) => ({
    mode: t.expose('mode', { type: McpApprovalMode, description: 'The rule.' }),
    always: t.field({
      type: McpToolFilter,
      nullable: true,
      description:
        'With mode FILTERED: calls of these tools need approval. Those of tools that both filters match, or none, do too.',
      resolve: ({ always }) => always,
    }),
    never: t.field({
      type: McpToolFilter,
      nullable: true,
      description: 'With mode FILTERED: calls of these tools need none.',
      resolve: ({ never }) => never,
    }),
  }),
});

export const McpServerTool = builder.objectRef<ServerShape>('McpServerTool').implement({
  description:
    'An MCP server, without its secrets: header values and authorization are never stored nor returned.',
  fields: (t) => ({
    serverLabel: t.exposeString('serverLabel', { description: 'Its name within the request.' }),
    serverUrl: t.exposeString('serverUrl', { description: 'Where it is.' }),
    serverDescription: t.exposeString('serverDescription', {
      nullable: true,
      description: 'What it is for.',
    }),
    headerNames: t.stringList({
      description: 'The names of the headers that were given; their values are kept nowhere.',
      resolve: ({ headerNames }) => headerNames,
    }),
    allowedTools: t.field({
      type: McpToolFilter,
      nullable: true,
      description: 'The tools that the model is offered; null: every tool.',
      resolve: ({ allowedTools }) => allowedTools,
    }),
    requireApproval: t.field({
      type: McpApprovalPolicy,
      description: 'Which calls the client must approve.',
      resolve: ({ requireApproval }) => requireApproval,
    }),
  }),
});
