import { EventEmitter, on } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { listen } from './environment.ts';
import { completedEvent, type DeltaEvent, deltaEvent, type LifecycleEvent } from './event.ts';
import { ask, readDeltas } from './read-deltas.ts';
import { typeDefs } from './type-defs.ts';

/** graphql-js and graphql-ws as they come: for each event one execution and one send that is awaited. */
type Event = DeltaEvent | LifecycleEvent;

const published = new EventEmitter().setMaxListeners(0);

async function* run(model: string): AsyncGenerator<Event, void> {
  let sequenceNumber = 0;
  for await (const deltas of readDeltas(await ask(model)))
    for (const delta of deltas) yield deltaEvent(sequenceNumber++, delta);
  yield completedEvent(sequenceNumber);
}

async function* fromRun(model: string) {
  for await (const event of run(model)) yield { responseStream: event };
}

async function* fromPublished(model: string) {
  for await (const [event] of on(published, model)) {
    yield { published: event };
    if (event.__typename === 'ResponseCompletedEvent') return;
  }
}

async function publish({ model, followers = 0 }: Published): Promise<void> {
  while (published.listenerCount(model) < followers) await delay(5);
  for await (const event of run(model)) published.emit(model, event);
}

interface Asked {
  readonly model: string;
}

interface Published extends Asked {
  readonly followers?: number;
}

const schema = buildSchema(typeDefs);
const subscription = schema.getSubscriptionType()?.getFields() ?? {};
if (subscription['responseStream'] !== undefined)
  subscription['responseStream'].subscribe = (_root, { model }: Asked) => fromRun(model);
if (subscription['published'] !== undefined)
  subscription['published'].subscribe = (_root, { model }: Asked) => fromPublished(model);
const mutation = schema.getMutationType()?.getFields() ?? {};
if (mutation['createResponse'] !== undefined)
  mutation['createResponse'].resolve = (_root, { input }: { readonly input: Published }) => {
    void publish(input);
    return { response: { id: input.model, status: 'IN_PROGRESS' }, errors: [] };
  };

const server = listen((_request, answer) => answer.writeHead(404).end());
useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
