import type { ModelInfo } from '../protocol/model-info.ts';
import { builder } from './builder.ts';

const Model = builder.objectRef<ModelInfo>('Model').implement({
  description: 'A model that the upstream offers.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What createResponse takes as `model`.' }),
    ownedBy: t.exposeString('ownedBy', {
      nullable: true,
      description: 'Who made it, where the upstream says so.',
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was made, where the upstream says so.',
      resolve: ({ createdAt }) => (createdAt === null ? null : new Date(createdAt)),
    }),
    isDefault: t.boolean({
      description: 'True for the model of requests that name none.',
      resolve: ({ name }, _args, { engine }) => name === engine.defaultModel,
    }),
  }),
});

builder.queryFields((t) => ({
  models: t.field({
    type: [Model],
    nullable: true,
    description:
      'What the configured upstream offers; null, with error code UPSTREAM, when it does not answer.',
    resolve: (_root, _args, { engine, signal }) => engine.models(signal),
  }),
}));
