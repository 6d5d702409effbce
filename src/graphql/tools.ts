import type {
  AllowedTool as AllowedToolShape,
  FunctionTool as FunctionToolShape,
  ToolChoice as ToolChoiceShape,
} from '../protocol/tools.ts';
import { builder } from './builder.ts';
import { AllowedToolsMode, ToolChoiceMode } from './enums.ts';

const FunctionTool = builder.objectRef<FunctionToolShape>('FunctionTool').implement({
  description: 'A function that the model may call and the client runs.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What it does, for the model.',
    }),
    parameters: t.field({
      type: 'JSON',
      nullable: true,
      description: 'A JSON schema of its arguments, as it was given.',
      resolve: ({ parameters }) => parameters,
    }),
    strict: t.exposeBoolean('strict', {
      nullable: true,
      description: 'True: the arguments follow the schema exactly, where the upstream can see to that.',
    }),
  }),
});

export const Tool = builder.unionType('Tool', {
  description: 'A tool that the model is offered.',
  types: [FunctionTool],
  resolveType: () => 'FunctionTool',
});

const AllowedTool = builder.objectRef<AllowedToolShape>('AllowedTool').implement({
  description: 'A tool that is offered although others are not.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: true, description: 'The name of a function.' }),
  }),
});

export const ToolChoice = builder.objectRef<ToolChoiceShape>('ToolChoice').implement({
  description: 'What the model may do with the tools.',
  fields: (t) => ({
    mode: t.expose('mode', { type: ToolChoiceMode, description: 'The rule.' }),
    name: t.string({
      nullable: true,
      description: 'The function to call, with mode FUNCTION.',
      resolve: (choice) => (choice.mode === 'function' ? choice.name : null),
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
