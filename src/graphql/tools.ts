import type {
  FunctionTool as FunctionToolShape,
  UserLocation as LocationShape,
  Tool as ToolShape,
  WebSearchTool as WebSearchToolShape,
} from '../protocol/tools.ts';
import { builder } from './builder.ts';
import { SearchContextSize } from './enums.ts';
import { McpServerTool } from './mcp-server-tool.ts';

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

const UserLocation = builder.objectRef<LocationShape>('UserLocation').implement({
  description: 'Where the user is, roughly.',
  fields: (t) => ({
    city: t.exposeString('city', { nullable: true, description: 'The city.' }),
    country: t.exposeString('country', {
      nullable: true,
      description: 'The country: two letters, ISO 3166-1.',
    }),
    region: t.exposeString('region', { nullable: true, description: 'The region or state.' }),
    timezone: t.exposeString('timezone', { nullable: true, description: 'An IANA time zone.' }),
  }),
});

const WebSearchTool = builder.objectRef<WebSearchToolShape>('WebSearchTool').implement({
  description: 'Searching the web, run by this server.',
  fields: (t) => ({
    searchContextSize: t.expose('searchContextSize', {
      type: SearchContextSize,
      nullable: true,
      description: 'How many results of a search the model is given; null: as MEDIUM.',
    }),
    allowedDomains: t.stringList({
      description: 'Only results of these domains and what is below them; empty: of all.',
      resolve: ({ allowedDomains }) => allowedDomains,
    }),
    userLocation: t.field({
      type: UserLocation,
      nullable: true,
      description: 'Where the user is, roughly. For search providers that take it.',
      resolve: ({ userLocation }) => userLocation,
    }),
  }),
});

const TYPE_NAMES = {
  function: 'FunctionTool',
  web_search: 'WebSearchTool',
  mcp: 'McpServerTool',
} as const satisfies { readonly [Type in ToolShape['type']]: string };

export const Tool = builder.unionType('Tool', {
  description: 'A tool that the model is offered, or a server whose tools it is offered.',
  types: [FunctionTool, WebSearchTool, McpServerTool],
  resolveType: ({ type }) => TYPE_NAMES[type],
});
