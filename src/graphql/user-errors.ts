import type { RequestError, RequestErrorCode } from '../protocol/request-error.ts';
import { builder } from './builder.ts';

const UserErrorCode = builder.enumType('UserErrorCode', {
  description: 'What is wrong with a request.',
  values: {
    INVALID_INPUT: { description: 'A field holds what it cannot hold; path names it.' },
    RESPONSE_NOT_FOUND: { description: 'There is no such response.' },
    PREVIOUS_RESPONSE_NOT_FOUND: {
      description: 'There is no response to continue under previousResponseId.',
    },
    APPROVAL_NOT_FOUND: { description: 'There is no approval request of this id.' },
    PREVIOUS_RESPONSE_NOT_ENDED: { description: 'The response to continue is still in flight.' },
    RESPONSE_NOT_ENDED: { description: 'The response is still in flight.' },
    APPROVAL_ALREADY_ANSWERED: { description: 'The approval request has been answered before.' },
    IDEMPOTENCY_MISMATCH: {
      description: 'The idempotency key was used with another input, or its response has been deleted.',
    },
  } satisfies { readonly [Code in RequestErrorCode]: object },
});

export const UserError = builder.interfaceRef<RequestError>('UserError').implement({
  description: 'What the caller can mend. Everything else is a top-level error with extensions.code.',
  resolveType: ({ code }) => TYPE_NAMES[code],
  fields: (t) => ({
    code: t.expose('code', { type: UserErrorCode, description: 'For programs.' }),
    message: t.exposeString('message', { description: 'For people: a sentence.' }),
    path: t.stringList({
      nullable: true,
      description: 'The field of the input, from the outside in, e.g. ["tools", "0", "function", "name"].',
      resolve: ({ path }) => path,
    }),
  }),
});

builder.objectType(builder.objectRef<RequestError>('InvalidInputError'), {
  description: 'A field of the input holds what it cannot hold.',
  interfaces: [UserError],
});

builder.objectType(builder.objectRef<RequestError>('NotFoundError'), {
  description: 'Something that the input names does not exist.',
  interfaces: [UserError],
});

builder.objectType(builder.objectRef<RequestError>('ConflictError'), {
  description: 'The request does not fit what is stored.',
  interfaces: [UserError],
});

const TYPE_NAMES = {
  INVALID_INPUT: 'InvalidInputError',
  RESPONSE_NOT_FOUND: 'NotFoundError',
  PREVIOUS_RESPONSE_NOT_FOUND: 'NotFoundError',
  APPROVAL_NOT_FOUND: 'NotFoundError',
  PREVIOUS_RESPONSE_NOT_ENDED: 'ConflictError',
  RESPONSE_NOT_ENDED: 'ConflictError',
  APPROVAL_ALREADY_ANSWERED: 'ConflictError',
  IDEMPOTENCY_MISMATCH: 'ConflictError',
} as const satisfies { readonly [Code in RequestErrorCode]: string };
