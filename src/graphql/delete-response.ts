import { asResponseId } from '../protocol/ids.ts';
import type { RequestError } from '../protocol/request-error.ts';
import { builder } from './builder.ts';
import { UserError } from './user-errors.ts';

interface DeletePayload {
  readonly deletedId: string | null;
  readonly errors: readonly RequestError[];
}

const DeleteResponseInput = builder.inputType('DeleteResponseInput', {
  description: 'A response to delete.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of a response that has ended.' }) }),
});

const DeleteResponsePayload = builder.objectRef<DeletePayload>('DeleteResponsePayload').implement({
  description: 'What was deleted, or why nothing was.',
  fields: (t) => ({
    deletedId: t.exposeID('deletedId', { nullable: true, description: 'The id of what was deleted.' }),
    errors: t.field({ type: [UserError], description: 'What is wrong.', resolve: ({ errors }) => errors }),
  }),
});

builder.mutationFields((t) => ({
  deleteResponse: t.field({
    type: DeleteResponsePayload,
    nullable: true,
    description:
      'Deletes a response that has ended: it cannot be read or continued any more. Continuations keep what they need of it.',
    args: {
      input: t.arg({ type: DeleteResponseInput, required: true, description: 'The response to delete.' }),
    },
    resolve: async (_root, { input }, { engine, scope }): Promise<DeletePayload> => {
      const id = asResponseId(input.id);
      const result = id === null ? 'not_found' : await engine.remove(scope, id);
      const refuse = (code: RequestError['code'], message: string): DeletePayload => ({
        deletedId: null,
        errors: [{ code, message, path: ['id'] }],
      });
      switch (result) {
        case 'deleted':
          return { deletedId: id, errors: [] };
        case 'not_found':
          return refuse('RESPONSE_NOT_FOUND', `There is no response "${input.id.slice(0, 100)}".`);
        case 'in_flight':
          return refuse(
            'RESPONSE_NOT_ENDED',
            `The response "${id}" is still in flight. Delete it once it has ended.`,
          );
        default:
          return result satisfies never;
      }
    },
  }),
}));
