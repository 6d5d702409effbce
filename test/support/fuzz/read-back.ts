import { ask, ITEM_FIELDS } from '../graphql.ts';
import type { Fields } from './arbitrary-input.ts';

const QUERY = `query ReadBack($id: ID!) {
  response(id: $id) {
    model instructions metadata temperature topP topLogprobs presencePenalty frequencyPenalty maxOutputTokens
    maxToolCalls parallelToolCalls serviceTier safetyIdentifier promptCacheKey truncation background
    text { verbosity format { type name description schema strict } }
    tools {
      ... on FunctionTool { name description parameters strict }
      ... on WebSearchTool { searchContextSize allowedDomains userLocation { city country region timezone } }
      ... on McpServerTool { serverLabel serverUrl serverDescription headerNames allowedTools { toolNames excludedToolNames readOnly } }
    }
    inputItems(scope: OWN, order: ASC, first: 100) { nodes { ...ItemFields } }
  }
} ${ITEM_FIELDS}`;

/** What is stored of a request, in the form of `expectedOf`. */
export async function readBack(app: { readonly url: string }, id: string): Promise<unknown> {
  const { inputItems, ...rest } = (await ask(app, QUERY, { id })).response;
  return {
    ...rest,
    items: inputItems.nodes.map(({ id: _id, status: _status, ...item }: Fields) => essence(item)),
  };
}

/** Without what this server makes of an item by itself. */
function essence({
  text: _text,
  output: _output,
  approvalRequestId: _id,
  approvalRequest: _request,
  ...item
}: Fields): Fields {
  return item;
}

// biome-ignore lint/suspicious/noExplicitAny: inputs have been taken by the server when they come here
type Taken = any;

/** How an input that was taken must read. */
export function expectedOf(input: Taken): unknown {
  const orNull = (...names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, input[name] ?? null]));
  const { jsonSchema, type } = input.text?.format ?? {};
  return {
    ...orNull(
      'model',
      'instructions',
      'temperature',
      'topP',
      'topLogprobs',
      'presencePenalty',
      'frequencyPenalty',
    ),
    ...orNull('maxOutputTokens', 'maxToolCalls', 'serviceTier', 'safetyIdentifier', 'promptCacheKey'),
    model: input.model ?? 'test-model',
    metadata: input.metadata ?? {},
    parallelToolCalls: input.parallelToolCalls,
    truncation: input.truncation,
    background: input.background,
    text: {
      verbosity: input.text?.verbosity ?? null,
      format: {
        type: jsonSchema ? 'JSON_SCHEMA' : (type ?? 'TEXT'),
        ...pick(jsonSchema ?? {}, 'name', 'description', 'schema', 'strict'),
      },
    },
    tools: listOf(input.tools).map(toolOf),
    items:
      typeof input.input.text === 'string'
        ? [itemOf({ message: { role: 'USER', content: { text: input.input.text } } })]
        : listOf(input.input.items).map(itemOf),
  };
}

/** GraphQL takes a single value for a list of one. */
function listOf(value: Taken): readonly Taken[] {
  return value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function filterOf(filter: Taken): Fields {
  const names = (given: Taken) => (given === null || given === undefined ? null : listOf(given));
  const { toolNames, excludedToolNames, readOnly } = filter;
  return {
    toolNames: names(toolNames),
    excludedToolNames: names(excludedToolNames),
    readOnly: readOnly ?? null,
  };
}

function pick(from: Taken, ...names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? null]));
}

function toolOf({ function: tool, webSearch, mcp }: Taken): Fields {
  if (tool) return pick(tool, 'name', 'description', 'parameters', 'strict');
  if (webSearch) {
    const { allowedDomains, userLocation, searchContextSize } = webSearch;
    return {
      searchContextSize: searchContextSize === undefined ? 'MEDIUM' : searchContextSize,
      allowedDomains: listOf(allowedDomains),
      userLocation: userLocation ? pick(userLocation, 'city', 'country', 'region', 'timezone') : null,
    };
  }
  return {
    ...pick(mcp, 'serverLabel', 'serverUrl', 'serverDescription'),
    headerNames: Object.keys(mcp.headers ?? {}),
    allowedTools: mcp.allowedTools ? filterOf(mcp.allowedTools) : null,
  };
}

function itemOf(item: Taken): Fields {
  const { message, functionCall, functionCallOutput, reasoning, webSearchCall, mcpListTools, mcpCall } = item;
  if (message) {
    const role = message.role ?? 'USER';
    return { __typename: 'Message', role, content: contentOf(message.content, role === 'ASSISTANT') };
  }
  if (functionCall)
    return { __typename: 'FunctionCall', ...pick(functionCall, 'callId', 'name', 'arguments'), error: null };
  if (functionCallOutput) {
    const { callId, output } = functionCallOutput;
    return { __typename: 'FunctionCallOutput', callId, content: contentOf(output, false) };
  }
  if (reasoning) {
    const { content, summary, encryptedContent } = reasoning;
    return {
      __typename: 'Reasoning',
      content: listOf(content).map((text: string) => ({ __typename: 'ReasoningText', text })),
      summary: listOf(summary).map((text: string) => ({ text })),
      encryptedContent: encryptedContent ?? null,
    };
  }
  if (webSearchCall) {
    const sources = listOf(webSearchCall.sources).map((source: Taken) => pick(source, 'url', 'title'));
    return { __typename: 'WebSearchCall', query: webSearchCall.query, sources, error: null };
  }
  if (mcpListTools) {
    const tools = listOf(mcpListTools.tools).map((tool: Taken) =>
      pick(tool, 'name', 'description', 'inputSchema', 'annotations'),
    );
    return { __typename: 'McpListTools', serverLabel: mcpListTools.serverLabel, tools, error: null };
  }
  const { output, error } = mcpCall;
  return {
    __typename: 'McpCall',
    ...pick(mcpCall, 'serverLabel', 'name', 'arguments'),
    content: typeof output === 'string' ? [{ __typename: 'InputText', text: output }] : [],
    error: typeof error === 'string' ? { type: 'EXECUTION', code: null, message: error } : null,
  };
}

function contentOf({ text, parts }: Taken, isAssistant: boolean): readonly Fields[] {
  const toText = (words: string) =>
    isAssistant
      ? { __typename: 'OutputText', text: words, annotations: [], logprobs: null }
      : { __typename: 'InputText', text: words };
  if (typeof text === 'string') return [toText(text)];
  return listOf(parts).map(({ text: words, image, file, refusal }: Taken) => {
    if (typeof words === 'string') return toText(words);
    if (image) return { __typename: 'InputImage', imageUrl: image.imageUrl, detail: image.detail ?? 'AUTO' };
    if (file)
      return {
        __typename: 'InputFile',
        ...pick(file, 'filename'),
        ...pick(file.source, 'fileData', 'fileUrl'),
      };
    return { __typename: 'Refusal', refusal };
  });
}
