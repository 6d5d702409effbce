import type { CreateResult } from '../engine/create-result.ts';
import type { RequestError } from '../protocol/request-error.ts';
import { builder } from './builder.ts';
import { CreateResponseInput } from './create-response-input.ts';
import { Response } from './response-ref.ts';
import { UserError } from './user-errors.ts';

const NO_ERRORS: readonly RequestError[] = [];

const CreateResponsePayload = builder.objectRef<CreateResult>('CreateResponsePayload').implement({
  description: 'The response that was started or joined, or why none was.',
  fields: (t) => ({
    response: t.field({
      type: Response,
      nullable: true,
      description:
        'The response: ended, or with `stream` or `background` in flight. Null if there are errors.',
      resolve: ({ response }) => response,
    }),
    errors: t.field({
      type: [UserError],
      description: 'Everything that is wrong with the request, at once.',
      resolve: (result) => ('errors' in result ? result.errors : NO_ERRORS),
    }),
  }),
});

builder.mutationFields((t) => ({
  createResponse: t.field({
    type: CreateResponsePayload,
    nullable: true,
    description:
      'Starts a run. Answers when the run has ended; with `stream: true` as soon as it has started, with `background: true` as soon as it is queued. A caller that goes away while it waits cancels the run; one that gave an `idempotencyKey` has a while to come back for it.',
    args: { input: t.arg({ type: CreateResponseInput, required: true, description: 'The run to start.' }) },
    resolve: (_root, { input }, { engine, caller, signal }) => engine.create(caller, input, signal),
  }),
}));
