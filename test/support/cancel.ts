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
