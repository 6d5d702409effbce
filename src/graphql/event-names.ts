import type { EventType } from '../protocol/events.ts';
import { builder } from './builder.ts';

/** The name of each event's type in the schema. */
export const EVENT_TYPE_NAMES = {
  'response.created': 'ResponseCreatedEvent',
  'response.queued': 'ResponseQueuedEvent',
  'response.in_progress': 'ResponseInProgressEvent',
  'response.completed': 'ResponseCompletedEvent',
  'response.incomplete': 'ResponseIncompleteEvent',
  'response.failed': 'ResponseFailedEvent',
  'response.cancelled': 'ResponseCancelledEvent',
  'response.snapshot': 'ResponseSnapshotEvent',
  'response.output_item.added': 'OutputItemAddedEvent',
  'response.output_item.done': 'OutputItemDoneEvent',
  'response.content_part.added': 'ContentPartAddedEvent',
  'response.content_part.done': 'ContentPartDoneEvent',
  'response.output_text.delta': 'OutputTextDeltaEvent',
  'response.output_text.done': 'OutputTextDoneEvent',
  'response.output_text.annotation.added': 'OutputTextAnnotationAddedEvent',
  'response.refusal.delta': 'RefusalDeltaEvent',
  'response.refusal.done': 'RefusalDoneEvent',
  'response.function_call_arguments.delta': 'FunctionCallArgumentsDeltaEvent',
  'response.function_call_arguments.done': 'FunctionCallArgumentsDoneEvent',
  'response.reasoning_text.delta': 'ReasoningTextDeltaEvent',
  'response.reasoning_text.done': 'ReasoningTextDoneEvent',
  'response.web_search_call.in_progress': 'WebSearchCallInProgressEvent',
  'response.web_search_call.searching': 'WebSearchCallSearchingEvent',
  'response.web_search_call.completed': 'WebSearchCallCompletedEvent',
  'response.mcp_list_tools.in_progress': 'McpListToolsInProgressEvent',
  'response.mcp_list_tools.completed': 'McpListToolsCompletedEvent',
  'response.mcp_list_tools.failed': 'McpListToolsFailedEvent',
  'response.mcp_call_arguments.delta': 'McpCallArgumentsDeltaEvent',
  'response.mcp_call_arguments.done': 'McpCallArgumentsDoneEvent',
  'response.mcp_call.in_progress': 'McpCallInProgressEvent',
  'response.mcp_call.completed': 'McpCallCompletedEvent',
  'response.mcp_call.failed': 'McpCallFailedEvent',
} as const satisfies { readonly [Type in EventType]: string };

export const ResponseEventType = builder.enumType('ResponseEventType', {
  description: 'One value for each type of event, named after it.',
  values: {
    RESPONSE_CREATED: { value: 'response.created', description: 'ResponseCreatedEvent.' },
    RESPONSE_QUEUED: { value: 'response.queued', description: 'ResponseQueuedEvent.' },
    RESPONSE_IN_PROGRESS: { value: 'response.in_progress', description: 'ResponseInProgressEvent.' },
    RESPONSE_COMPLETED: { value: 'response.completed', description: 'ResponseCompletedEvent.' },
    RESPONSE_INCOMPLETE: { value: 'response.incomplete', description: 'ResponseIncompleteEvent.' },
    RESPONSE_FAILED: { value: 'response.failed', description: 'ResponseFailedEvent.' },
    RESPONSE_CANCELLED: { value: 'response.cancelled', description: 'ResponseCancelledEvent.' },
    RESPONSE_SNAPSHOT: { value: 'response.snapshot', description: 'ResponseSnapshotEvent.' },
    OUTPUT_ITEM_ADDED: { value: 'response.output_item.added', description: 'OutputItemAddedEvent.' },
    OUTPUT_ITEM_DONE: { value: 'response.output_item.done', description: 'OutputItemDoneEvent.' },
    CONTENT_PART_ADDED: { value: 'response.content_part.added', description: 'ContentPartAddedEvent.' },
    CONTENT_PART_DONE: { value: 'response.content_part.done', description: 'ContentPartDoneEvent.' },
    OUTPUT_TEXT_DELTA: { value: 'response.output_text.delta', description: 'OutputTextDeltaEvent.' },
    OUTPUT_TEXT_DONE: { value: 'response.output_text.done', description: 'OutputTextDoneEvent.' },
    OUTPUT_TEXT_ANNOTATION_ADDED: {
      value: 'response.output_text.annotation.added',
      description: 'OutputTextAnnotationAddedEvent.',
    },
    REFUSAL_DELTA: { value: 'response.refusal.delta', description: 'RefusalDeltaEvent.' },
    REFUSAL_DONE: { value: 'response.refusal.done', description: 'RefusalDoneEvent.' },
    FUNCTION_CALL_ARGUMENTS_DELTA: {
      value: 'response.function_call_arguments.delta',
      description: 'FunctionCallArgumentsDeltaEvent.',
    },
    FUNCTION_CALL_ARGUMENTS_DONE: {
      value: 'response.function_call_arguments.done',
      description: 'FunctionCallArgumentsDoneEvent.',
    },
    REASONING_TEXT_DELTA: { value: 'response.reasoning_text.delta', description: 'ReasoningTextDeltaEvent.' },
    REASONING_TEXT_DONE: { value: 'response.reasoning_text.done', description: 'ReasoningTextDoneEvent.' },
    WEB_SEARCH_CALL_IN_PROGRESS: {
      value: 'response.web_search_call.in_progress',
      description: 'WebSearchCallInProgressEvent.',
    },
    WEB_SEARCH_CALL_SEARCHING: {
      value: 'response.web_search_call.searching',
      description: 'WebSearchCallSearchingEvent.',
    },
    WEB_SEARCH_CALL_COMPLETED: {
      value: 'response.web_search_call.completed',
      description: 'WebSearchCallCompletedEvent.',
    },
    MCP_LIST_TOOLS_IN_PROGRESS: {
      value: 'response.mcp_list_tools.in_progress',
      description: 'McpListToolsInProgressEvent.',
    },
    MCP_LIST_TOOLS_COMPLETED: {
      value: 'response.mcp_list_tools.completed',
      description: 'McpListToolsCompletedEvent.',
    },
    MCP_LIST_TOOLS_FAILED: {
      value: 'response.mcp_list_tools.failed',
      description: 'McpListToolsFailedEvent.',
    },
    MCP_CALL_ARGUMENTS_DELTA: {
      value: 'response.mcp_call_arguments.delta',
      description: 'McpCallArgumentsDeltaEvent.',
    },
    MCP_CALL_ARGUMENTS_DONE: {
      value: 'response.mcp_call_arguments.done',
      description: 'McpCallArgumentsDoneEvent.',
    },
    MCP_CALL_IN_PROGRESS: { value: 'response.mcp_call.in_progress', description: 'McpCallInProgressEvent.' },
    MCP_CALL_COMPLETED: { value: 'response.mcp_call.completed', description: 'McpCallCompletedEvent.' },
    MCP_CALL_FAILED: { value: 'response.mcp_call.failed', description: 'McpCallFailedEvent.' },
  } as const satisfies {
    readonly [Name in string]: { readonly value: EventType; readonly description: string };
  },
});
