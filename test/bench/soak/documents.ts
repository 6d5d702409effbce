/** The operations of the soak that go over HTTP. */
export const CREATE = `mutation ($input: CreateResponseInput!) {
  createResponse(input: $input) { response { id status outputText } errors { message } }
}`;

export const CANCEL = `mutation ($id: ID!) {
  cancelResponse(input: { id: $id }) { response { id status outputText } errors { message } }
}`;

export const DELETE = `mutation ($id: ID!) {
  deleteResponse(input: { id: $id }) { deletedId errors { message } }
}`;

export const READ = `query ($id: ID!) {
  response(id: $id) {
    id status outputText streamCursor output { __typename ... on Message { id content { ... on OutputText { text } } } }
  }
}`;

export const LIST = `query ($after: String) {
  responses(first: 50, after: $after) {
    edges { cursor node { id status createdAt outputText usage { totalTokens } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

export const HISTORY = `query ($id: ID!) {
  inputItems(responseId: $id, first: 100) { edges { node { __typename id } } }
}`;
