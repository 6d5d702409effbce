import { asResponseId } from '../protocol/ids.ts';
import type { RequestError } from '../protocol/request-error.ts';
import { builder } from './builder.ts';
import { responseNotFound, UserError } from './user-errors.ts';

interface DeletePayload {
  readonly deletedId: string | null;
  readonly errors: readonly RequestError[];
}

const DeleteResponseInput = builder.inputType('DeleteResponseInput', {
  description: 'A response to delete.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of a response.' }) }),
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
      'Deletes a response: it cannot be read or continued any more. One in flight is cancelled first. Continuations keep what they need of it.',
    args: {
      input: t.arg({ type: DeleteResponseInput, required: true, description: 'The response to delete.' }),
    },
    resolve: async (_root, { input }, { engine, scope }): Promise<DeletePayload> => {
      const id = asResponseId(input.id);
      const isDeleted = id !== null && (await engine.remove(scope, id));
      return isDeleted
        ? { deletedId: id, errors: [] }
        : { deletedId: null, errors: [responseNotFound(input.id)] };
    },
  }),
}));
