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
    ITEM_NOT_FOUND: { description: 'There is no item of this id.' },
    APPROVAL_NOT_FOUND: { description: 'There is no approval request of this id.' },
    PREVIOUS_RESPONSE_NOT_ENDED: { description: 'The response to continue is still in flight.' },
    ALREADY_ENDED: { description: 'The response had ended before it could be cancelled.' },
    APPROVAL_ALREADY_ANSWERED: { description: 'The approval request has been answered before.' },
    IDEMPOTENCY_MISMATCH: {
      description: 'The idempotency key was used with another input, or its response has been deleted.',
    },
    LIMIT_EXCEEDED: {
      description: 'The server, or this caller in it, has as much to do as it may; try again later.',
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

builder.objectType(builder.objectRef<RequestError>('LimitError'), {
  description: 'Too much at once.',
  interfaces: [UserError],
  fields: (t) => ({
    retryAfterSeconds: t.int({
      nullable: true,
      description: 'When it is worth trying again.',
      resolve: ({ retryAfterSeconds }) => retryAfterSeconds ?? null,
    }),
  }),
});

const TYPE_NAMES = {
  INVALID_INPUT: 'InvalidInputError',
  RESPONSE_NOT_FOUND: 'NotFoundError',
  ITEM_NOT_FOUND: 'NotFoundError',
  PREVIOUS_RESPONSE_NOT_FOUND: 'NotFoundError',
  APPROVAL_NOT_FOUND: 'NotFoundError',
  PREVIOUS_RESPONSE_NOT_ENDED: 'ConflictError',
  ALREADY_ENDED: 'ConflictError',
  APPROVAL_ALREADY_ANSWERED: 'ConflictError',
  IDEMPOTENCY_MISMATCH: 'ConflictError',
  LIMIT_EXCEEDED: 'LimitError',
} as const satisfies { readonly [Code in RequestErrorCode]: string };

export function responseNotFound(id: string): RequestError {
  return { code: 'RESPONSE_NOT_FOUND', message: `There is no response "${id.slice(0, 100)}".`, path: ['id'] };
}
