import type { AllowedTool as AllowedToolShape, ToolChoice as ToolChoiceShape } from '../protocol/tools.ts';
import { builder } from './builder.ts';
import { AllowedToolsMode, HostedTool, ToolChoiceMode } from './enums.ts';

const AllowedTool = builder.objectRef<AllowedToolShape>('AllowedTool').implement({
  description:
    'A tool that is offered although others are not. One of name, serverLabel and hosted says which.',
  fields: (t) => ({
    name: t.string({
      nullable: true,
      description: 'The name of a function; with serverLabel, of a tool of that server.',
      resolve: (tool) => (tool.type === 'hosted' ? null : tool.name),
    }),
    serverLabel: t.string({
      nullable: true,
      description: 'An MCP server; without a name, all of its tools.',
      resolve: (tool) => (tool.type === 'mcp' ? tool.serverLabel : null),
    }),
    hosted: t.field({
      type: HostedTool,
      nullable: true,
      description: 'A tool that this server brings along.',
      resolve: (tool) => (tool.type === 'hosted' ? tool.hosted : null),
    }),
  }),
});

export const ToolChoice = builder.objectRef<ToolChoiceShape>('ToolChoice').implement({
  description: 'What the model may do with the tools.',
  fields: (t) => ({
    mode: t.expose('mode', { type: ToolChoiceMode, description: 'The rule.' }),
    name: t.string({
      nullable: true,
      description:
        'The tool to call: the function with mode FUNCTION, the tool of the server with mode MCP, null there for any of its tools. With mode HOSTED null: `hosted` names the tool.',
      resolve: (choice) => (choice.mode === 'function' || choice.mode === 'mcp' ? choice.name : null),
    }),
    serverLabel: t.string({
      nullable: true,
      description: 'The MCP server whose tool to call, with mode MCP.',
      resolve: (choice) => (choice.mode === 'mcp' ? choice.serverLabel : null),
    }),
    hosted: t.field({
      type: HostedTool,
      nullable: true,
      description: 'The tool of this server to call, with mode HOSTED.',
      resolve: (choice) => (choice.mode === 'hosted' ? choice.hosted : null),
    }),
    allowedToolsMode: t.field({
      type: AllowedToolsMode,
      nullable: true,
      description: 'What the model may do with the allowed tools, with mode ALLOWED_TOOLS.',
      resolve: (choice) => (choice.mode === 'allowed_tools' ? choice.allowedToolsMode : null),
    }),
    allowedTools: t.field({
      type: [AllowedTool],
      nullable: true,
      description: 'The tools that are offered, with mode ALLOWED_TOOLS.',
      resolve: (choice) => (choice.mode === 'allowed_tools' ? choice.allowedTools : null),
    }),
  }),
});
