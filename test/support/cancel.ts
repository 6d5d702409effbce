import { ask, RESPONSE_FIELDS } from './graphql.ts';

export const CANCEL = `
  mutation Cancel($id: ID!) {
    cancelResponse(input: { id: $id }) {
      response { ...ResponseFields }
      errors { __typename code message path }
    }
  }
  ${RESPONSE_FIELDS}`;

/** The whole payload of cancelResponse. */
export async function cancel(app: { readonly url: string }, id: string) {
  return (await ask(app, CANCEL, { id })).cancelResponse;
}

/** The whole payload of deleteResponse. */
export async function remove(app: { readonly url: string }, id: string) {
  const mutation = `mutation ($id: ID!) {
    deleteResponse(input: { id: $id }) { deletedId errors { __typename code message path } }
  }`;
  return (await ask(app, mutation, { id })).deleteResponse;
}
