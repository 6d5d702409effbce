import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator';
import type { Response, ResponseOutputItem, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { expect } from 'vitest';
import type { StreamEvent } from './stream.ts';

/**
 * A second judge that nobody here wrote: the accumulator of the `openai` package. It throws at the first wrong
 * index, id or order; its own result must say what the last event says. It knows no CANCELLED and no snapshot: at
 * one it begins anew, as with a response that was created so.
 */
export function feedForeignAccumulator(events: readonly StreamEvent[]): void {
  let snapshot: Response | undefined;
  for (const event of events) {
    if (event.__typename === 'ResponseCancelledEvent') break;
    const wire = toWire(event);
    if (event.__typename === 'ResponseSnapshotEvent') snapshot = undefined;
    if (snapshot && wire.type === 'response.output_item.done') {
      expect(streamed(snapshot.output[wire.output_index])).toEqual(streamed(wire.item));
    }
    snapshot = accumulateResponse(wire, snapshot);
  }
  const said = events.at(-1)?.['response'];
  if (said.status === 'CANCELLED') return;
  const texts = snapshot?.output.flatMap((item) => (item.type === 'message' ? item.content : []));
  expect(texts?.map((part) => (part.type === 'output_text' ? part.text : '')).join('')).toBe(said.outputText);
  expect(snapshot?.output.map(({ id }) => id)).toEqual(
    said.output.map(({ id }: { readonly id: string }) => id),
  );
}

/** What of an item is streamed: from the events alone it must be there before the item is done. */
function streamed(item: ResponseOutputItem | undefined): unknown {
  switch (item?.type) {
    case 'message':
    case 'reasoning':
      return item.content;
    case 'function_call':
    case 'mcp_call':
      return item.arguments;
    default:
      return undefined; // comes whole
  }
}

const TYPES: { readonly [typename: string]: string } = {
  ResponseCreatedEvent: 'response.created',
  ResponseSnapshotEvent: 'response.created',
  ResponseQueuedEvent: 'response.queued',
  ResponseInProgressEvent: 'response.in_progress',
  ResponseCompletedEvent: 'response.completed',
  ResponseIncompleteEvent: 'response.incomplete',
  ResponseFailedEvent: 'response.failed',
  OutputItemAddedEvent: 'response.output_item.added',
  OutputItemDoneEvent: 'response.output_item.done',
  ContentPartAddedEvent: 'response.content_part.added',
  ContentPartDoneEvent: 'response.content_part.done',
  OutputTextDeltaEvent: 'response.output_text.delta',
  OutputTextDoneEvent: 'response.output_text.done',
  OutputTextAnnotationAddedEvent: 'response.output_text.annotation.added',
  RefusalDeltaEvent: 'response.refusal.delta',
  RefusalDoneEvent: 'response.refusal.done',
  FunctionCallArgumentsDeltaEvent: 'response.function_call_arguments.delta',
  FunctionCallArgumentsDoneEvent: 'response.function_call_arguments.done',
  ReasoningTextDeltaEvent: 'response.reasoning_text.delta',
  ReasoningTextDoneEvent: 'response.reasoning_text.done',
  WebSearchCallInProgressEvent: 'response.web_search_call.in_progress',
  WebSearchCallSearchingEvent: 'response.web_search_call.searching',
  WebSearchCallCompletedEvent: 'response.web_search_call.completed',
  McpListToolsInProgressEvent: 'response.mcp_list_tools.in_progress',
  McpListToolsCompletedEvent: 'response.mcp_list_tools.completed',
  McpListToolsFailedEvent: 'response.mcp_list_tools.failed',
  McpCallArgumentsDeltaEvent: 'response.mcp_call_arguments.delta',
  McpCallArgumentsDoneEvent: 'response.mcp_call_arguments.done',
  McpCallInProgressEvent: 'response.mcp_call.in_progress',
  McpCallCompletedEvent: 'response.mcp_call.completed',
  McpCallFailedEvent: 'response.mcp_call.failed',
};

/** The event in the form that OpenAI's Responses API sends. */
function toWire(event: StreamEvent): ResponseStreamEvent {
  const {
    __typename,
    sequenceNumber,
    cursor: _,
    query: _ours,
    response,
    item,
    part,
    annotation,
    ...rest
  } = event;
  const wire = {
    type: TYPES[__typename],
    sequence_number: sequenceNumber,
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [snake(key), value])),
    ...(__typename === 'OutputTextDeltaEvent' && { logprobs: [] }),
    ...(__typename === 'OutputTextDoneEvent' && { logprobs: [] }),
    ...(response && { response: toWireResponse(response) }),
    ...(item && { item: toWireItem(item) }),
    ...(part && { part: toWirePart(part) }),
    ...(annotation && { annotation: toWireAnnotation(annotation) }),
  };
  return wire as unknown as ResponseStreamEvent;
}

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
function toWireResponse(response: any) {
  return {
    id: response.id,
    object: 'response',
    created_at: Date.parse(response.createdAt) / 1000,
    status: response.status.toLowerCase(),
    model: response.model,
    output: response.output.map(toWireItem),
    error: response.error,
    incomplete_details: response.incompleteDetails,
    tools: [],
    parallel_tool_calls: true,
    tool_choice: 'auto',
  };
}

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
function toWireItem(item: any) {
  const { id, serverLabel: server_label, name } = item;
  const status = item.status.toLowerCase();
  const base = { id, status: status === 'failed' ? 'incomplete' : status };
  const server = { id, server_label, name, arguments: item.arguments };
  switch (item.__typename) {
    case 'Message':
      return { ...base, type: 'message', role: 'assistant', content: item.content.map(toWirePart) };
    case 'FunctionCall':
      return { ...base, type: 'function_call', call_id: item.callId, name, arguments: item.arguments };
    case 'FunctionCallOutput':
      return { ...base, type: 'function_call_output', call_id: item.callId, output: item.output };
    case 'WebSearchCall':
      return { id, type: 'web_search_call', status, action: toWireSearch(item) };
    case 'McpListTools':
      return {
        id,
        type: 'mcp_list_tools',
        server_label,
        tools: item.tools.map(toWireTool),
        error: item.error?.message ?? null,
      };
    case 'McpCall':
      return {
        ...server,
        type: 'mcp_call',
        status,
        output: item.output,
        error: item.error && { type: 'http_error', code: item.error.code ?? 0, message: item.error.message },
        approval_request_id: item.approvalRequestId,
      };
    case 'McpApprovalRequest':
      return { ...server, type: 'mcp_approval_request' };
    default:
      return { ...base, type: 'reasoning', summary: [], content: item.content.map(toWirePart) };
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
function toWireSearch({ query, sources }: any) {
  const urls = sources.map(({ url }: { readonly url: string }) => ({ type: 'url', url }));
  return { type: 'search', queries: query === null ? [] : [query], sources: urls };
}

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
function toWireTool({ name, description, inputSchema, annotations }: any) {
  return { name, description, input_schema: inputSchema, annotations };
}

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
function toWirePart(part: any) {
  switch (part.__typename) {
    case 'OutputText':
      return {
        type: 'output_text',
        text: part.text,
        annotations: part.annotations.map(toWireAnnotation),
        logprobs: [],
      };
    case 'Refusal':
      return { type: 'refusal', refusal: part.refusal };
    default:
      return { type: 'reasoning_text', text: part.text };
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
function toWireAnnotation(annotation: any) {
  const { url, title, startIndex, endIndex } = annotation;
  return { type: 'url_citation', url, title, start_index: startIndex, end_index: endIndex };
}
