/** The schema of the floors: of ours what the clients of the benchmark select. */
export const typeDefs = /* GraphQL */ `
  interface ResponseEvent { sequenceNumber: Int! cursor: String! }
  interface ResponseLifecycleEvent implements ResponseEvent { sequenceNumber: Int! cursor: String! response: Response! }
  type Response { id: ID! status: String! outputText: String! }
  type OutputTextDeltaEvent implements ResponseEvent {
    sequenceNumber: Int!
    cursor: String!
    itemId: ID!
    outputIndex: Int!
    contentIndex: Int!
    delta: String!
  }
  type ResponseCompletedEvent implements ResponseEvent & ResponseLifecycleEvent {
    sequenceNumber: Int!
    cursor: String!
    response: Response!
  }
  input TextInput { text: String! }
  input CreateResponseInput { model: String! input: TextInput! followers: Int }
  type Error { message: String! }
  type CreateResponsePayload { response: Response errors: [Error!]! }
  type Query { ok: Boolean! }
  type Mutation { createResponse(input: CreateResponseInput!): CreateResponsePayload }
  type Subscription {
    "Starts a run and follows it."
    responseStream(model: String!): ResponseEvent!
    "Follows a run that createResponse starts once it has so many followers."
    published(model: String!): ResponseEvent!
  }
`;
