import { expect } from 'vitest';

export interface GraphQLAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers as they come
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly unknown[];
    readonly extensions?: { readonly [key: string]: unknown };
  }[];
}

type Variables = { readonly [name: string]: unknown };

/** A server, and as whom it is asked; without that, as nobody in particular. */
export interface Target {
  readonly url: string;
  readonly authorization?: string;
}

/** One operation over HTTP, as clients send it. */
export async function send(
  { url, authorization }: Target,
  query: string,
  variables: Variables = {},
  signal?: AbortSignal,
): Promise<GraphQLAnswer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify({ query, variables }),
    signal: signal ?? null,
  });
  return (await answer.json()) as GraphQLAnswer;
}

/** The data of an operation that is expected to work. */
export async function ask(app: Target, query: string, variables: Variables = {}) {
  const answer = await send(app, query, variables);
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

/** Everything that can be selected of an item. */
export const ITEM_FIELDS = `
  fragment ItemFields on Item {
    __typename
    id
    status
    ... on Message { role text content { ...PartFields } }
    ... on FunctionCall { callId name arguments error { type code message } }
    ... on FunctionCallOutput { callId output content { ...PartFields } }
    ... on Reasoning { content { ...PartFields } summary { text } encryptedContent }
    ... on WebSearchCall { query sources { url title } error { type code message } }
    ... on McpListTools {
      serverLabel tools { name description inputSchema annotations } error { type code message }
    }
    ... on McpCall {
      serverLabel name arguments output content { ...PartFields } error { type code message }
      approvalRequestId approvalRequest { id }
    }
    ... on McpApprovalRequest {
      serverLabel name arguments error { type code message } answer { id approve reason }
    }
    ... on McpApprovalResponse { approvalRequestId approvalRequest { id } approve reason }
  }
  fragment PartFields on ContentPart {
    __typename
    ... on InputText { text }
    ... on InputImage { imageUrl detail }
    ... on InputFile { filename fileData fileUrl }
    ... on OutputText {
      text
      annotations { ... on UrlCitation { url title startIndex endIndex } }
      logprobs { token logprob bytes top { token logprob bytes } }
    }
    ... on Refusal { refusal }
    ... on ReasoningText { text }
  }`;

/** Everything that a run changes of a response, with its output. */
export const RESPONSE_FIELDS = `
  fragment ResponseFields on Response {
    id
    status
    model
    createdAt
    completedAt
    previousResponseId
    outputText
    output { ...ItemFields }
    usage { inputTokens cachedInputTokens outputTokens reasoningTokens totalTokens }
    error { code message }
    incompleteDetails { reason }
    streamCursor
  }
  ${ITEM_FIELDS}`;

export const CREATE = `
  mutation Create($input: CreateResponseInput!) {
    createResponse(input: $input) {
      response { ...ResponseFields }
      errors { __typename code message path }
    }
  }
  ${RESPONSE_FIELDS}`;

/** The whole payload of createResponse. */
export async function create(app: Target, input: Variables) {
  return (await ask(app, CREATE, { input })).createResponse;
}

/** The response that createResponse gives, for a request that is expected to be taken. */
export async function createResponse(app: Target, input: Variables) {
  const { response, errors } = await create(app, input);
  expect(errors).toEqual([]);
  return response;
}

/** A stored response, as `response(id:)` reads it. */
export async function readResponse(app: Target, id: string) {
  const query = `query Read($id: ID!) { response(id: $id) { ...ResponseFields } } ${RESPONSE_FIELDS}`;
  return (await ask(app, query, { id })).response;
}
