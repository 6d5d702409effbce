import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/**
 * Operations come as JSON by POST and, if `getQueries`, in the address by GET. What a plain form of another site's page
 * can send without being asked (urlencoded, multipart, text) is not read.
 */
export function useRequestForms({ getQueries }: { readonly getQueries: boolean }): Plugin {
  return {
    onRequestParse({ request: { method, headers } }) {
      if (method === 'GET' && !getQueries)
        throw refusal('Operations are taken by POST only.', {
          code: 'METHOD_NOT_ALLOWED',
          http: { status: 405, headers: { allow: 'POST' } },
        });
      const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
      if (method === 'POST' && type !== 'application/json')
        throw refusal(`The body must be application/json; it is ${type ?? 'of no type'}.`, {
          code: 'UNSUPPORTED_MEDIA_TYPE',
          http: { status: 415 },
        });
    },
  };
}

function refusal(message: string, extensions: { readonly [key: string]: unknown }): GraphQLError {
  return new GraphQLError(message, { extensions });
}
