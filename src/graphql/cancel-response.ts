import type { CancelResult } from '../engine/cancel-response.ts';
import { asResponseId } from '../protocol/ids.ts';
import { builder } from './builder.ts';
import { Response } from './response-ref.ts';
import { responseNotFound, UserError } from './user-errors.ts';

const CancelResponseInput = builder.inputType('CancelResponseInput', {
  description: 'A response to cancel.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of a response in flight.' }) }),
});

const CancelResponsePayload = builder.objectRef<CancelResult>('CancelResponsePayload').implement({
  description: 'The response as it ended.',
  fields: (t) => ({
    response: t.field({
      type: Response,
      nullable: true,
      description: 'The response: CANCELLED, or as it had ended before. Null if there is none.',
      resolve: ({ response }) => response,
    }),
    errors: t.field({ type: [UserError], description: 'What is wrong.', resolve: ({ errors }) => errors }),
  }),
});

builder.mutationFields((t) => ({
  cancelResponse: t.field({
    type: CancelResponsePayload,
    nullable: true,
    description:
      'Cancels a response in flight, on whichever server it runs, and answers when that is done: what was said until then is kept. Again, it answers the same.',
    args: {
      input: t.arg({ type: CancelResponseInput, required: true, description: 'The response to cancel.' }),
    },
    resolve: (_root, { input }, { engine, scope, signal }): CancelResult | Promise<CancelResult> => {
      const id = asResponseId(input.id);
      if (id === null) return { response: null, errors: [responseNotFound(input.id)] };
      return engine.cancel(scope, id, signal);
    },
  }),
}));
