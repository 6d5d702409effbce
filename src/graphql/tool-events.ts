import { builder } from './builder.ts';
import { eventRef, OutputItemEvent, ResponseEvent } from './event-types.ts';

builder.objectType(eventRef('response.function_call_arguments.delta'), {
  description: 'More of the arguments of a call.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    delta: t.string({ description: 'The text to append.', resolve: ({ event }) => event.delta }),
  }),
});

builder.objectType(eventRef('response.function_call_arguments.done'), {
  description: 'The arguments of a call are whole.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    name: t.string({ description: 'The function.', resolve: ({ event }) => event.name }),
    arguments: t.string({
      description: 'The whole arguments, as the model wrote them.',
      resolve: ({ event }) => event.arguments,
    }),
  }),
});

builder.objectType(eventRef('response.web_search_call.in_progress'), {
  description: 'The model asks for a search.',
  interfaces: [OutputItemEvent, ResponseEvent],
});

builder.objectType(eventRef('response.web_search_call.searching'), {
  description: 'The search starts.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    query: t.string({ description: 'What is searched for.', resolve: ({ event }) => event.query }),
  }),
});

builder.objectType(eventRef('response.web_search_call.completed'), {
  description: 'The search is over; the status of its item says whether it failed.',
  interfaces: [OutputItemEvent, ResponseEvent],
});

builder.objectType(eventRef('response.mcp_list_tools.in_progress'), {
  description: 'The server is asked for its tools.',
  interfaces: [OutputItemEvent, ResponseEvent],
});

builder.objectType(eventRef('response.mcp_list_tools.completed'), {
  description: 'The server has listed its tools.',
  interfaces: [OutputItemEvent, ResponseEvent],
});

builder.objectType(eventRef('response.mcp_list_tools.failed'), {
  description: 'The tools of the server could not be listed; the error of the item says why.',
  interfaces: [OutputItemEvent, ResponseEvent],
});

builder.objectType(eventRef('response.mcp_call.in_progress'), {
  description: 'The model begins a call.',
  interfaces: [OutputItemEvent, ResponseEvent],
});

builder.objectType(eventRef('response.mcp_call_arguments.delta'), {
  description: 'More of the arguments of a call.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    delta: t.string({ description: 'The text to append.', resolve: ({ event }) => event.delta }),
  }),
});

builder.objectType(eventRef('response.mcp_call_arguments.done'), {
  description: 'The arguments of a call are whole. If they can be sent, the tool is called next.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    arguments: t.string({
      description: 'The whole arguments, as the model wrote them.',
      resolve: ({ event }) => event.arguments,
    }),
  }),
});

builder.objectType(eventRef('response.mcp_call.completed'), {
  description: 'The tool has answered.',
  interfaces: [OutputItemEvent, ResponseEvent],
});

builder.objectType(eventRef('response.mcp_call.failed'), {
  description: 'The call failed; the error of its item says why.',
  interfaces: [OutputItemEvent, ResponseEvent],
});
