import type { ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createSchema, createYoga } from 'graphql-yoga';
import OpenAI from 'openai';
import { WebSocketServer } from 'ws';
import { listen, upstreamUrl } from './environment.ts';
import { completedEvent, deltaEvent } from './event.ts';
import { typeDefs } from './type-defs.ts';

/** What one writes on the first afternoon: yoga, graphql-ws and the iterator of the openai client. Nothing is kept. */
const client = new OpenAI({ baseURL: upstreamUrl.href, apiKey: 'none' });

const messages = [{ role: 'user' as const, content: 'Tell me something long.' }];

async function* run(model: string) {
  let sequenceNumber = 0;
  const stream = await client.chat.completions.create({ model, messages, stream: true });
  for await (const chunk of stream) {
    const delta = chunk.choices[0]?.delta.content;
    if (delta) yield { responseStream: deltaEvent(sequenceNumber++, delta) };
  }
  yield { responseStream: completedEvent(sequenceNumber) };
}

interface Asked {
  readonly model: string;
}

const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs,
    resolvers: {
      Mutation: {
        createResponse: async (_root: unknown, { input: { model } }: { readonly input: Asked }) => {
          const { id, choices } = await client.chat.completions.create({ model, messages });
          return {
            response: { id, status: 'COMPLETED', outputText: choices[0]?.message.content ?? '' },
            errors: [],
          };
        },
      },
      Subscription: {
        responseStream: { subscribe: (_root: unknown, { model }: Asked) => run(model) },
      },
    },
  }),
});

const server = listen(yoga);

/** The recipe of yoga's documentation for graphql-ws. */
useServer(
  {
    execute: (args: ExecutionArgs) => executorsOf(args).execute(args),
    subscribe: (args: ExecutionArgs) => executorsOf(args).subscribe(args),
    onSubscribe: async (ctx, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...ctx,
        req: ctx.extra.request,
        socket: ctx.extra.socket,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  },
  new WebSocketServer({ server, path: yoga.graphqlEndpoint }),
);

type Execute = ReturnType<typeof yoga.getEnveloped>['execute'];

function executorsOf({ rootValue }: ExecutionArgs) {
  return rootValue as { readonly execute: Execute; readonly subscribe: Execute };
}
