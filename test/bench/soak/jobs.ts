import { setTimeout as delay } from 'node:timers/promises';
import { asArray, asObject, asText } from '../../../src/util/json.ts';
import { create, follow, start } from '../clients/documents.ts';
import { idOf, openGraphQLSocket } from '../clients/graphql-socket.ts';
import type { OpenLine } from '../clients/line.ts';
import { openOurs, openOursSse } from '../clients/lines.ts';
import { CHUNK_CHARACTERS } from '../upstream/chunks.ts';
import { createPlan } from '../upstream/plan.ts';
import { ask, askAndLeave, expectResponse, responseOf } from './ask.ts';
import { CANCEL, CREATE, DELETE, HISTORY, LIST, READ } from './documents.ts';
import type { KnownResponses } from './known-responses.ts';

/** What a client does, from beginning to end. It fails when anything is not as it should be. */
export type Job = (world: World) => Promise<void>;

export interface World {
  readonly url: string;
  readonly known: KnownResponses;
  /** A whole number below the limit. */
  readonly random: (limit: number) => number;
}

const slowPlan = () => createPlan({ chunks: 100, everyMs: 20, held: false });
/** Ends long after anybody has left it, on a busy machine too. */
const longPlan = () => createPlan({ chunks: 1500, everyMs: 20, held: false });
const quickPlan = (chunks: number) => createPlan({ chunks, everyMs: 0, held: false });

const followed =
  (openLine: OpenLine, chunks: number, everyMs: number): Job =>
  async ({ url }) => {
    const line = await openLine(url);
    let characters = 0;
    await line.play(createPlan({ chunks, everyMs, held: false }), (count) => {
      characters += count;
    });
    line.close();
    if (characters !== chunks * CHUNK_CHARACTERS) throw new Error(`Only ${characters} characters came.`);
  };

/** Leaves in the middle; the run is cancelled once its grace is over. */
const left =
  (openLine: OpenLine): Job =>
  async ({ url, random }) => {
    const line = await openLine(url);
    const leaveAt = 1 + random(80);
    let pieces = 0;
    const gone = line.play(slowPlan(), () => {
      if (++pieces === leaveAt) line.close();
    });
    await gone.then(
      () => line.close(), // joined into fewer pieces than that
      (error: unknown) => {
        if (pieces < leaveAt) throw error;
      },
    );
  };

const cancelled: Job = async ({ url, random }) => {
  const socket = await openGraphQLSocket(url);
  const id = idOf(await socket.run(start(longPlan())));
  const following = socket.run(follow(id), () => {});
  await delay(100 + random(1000));
  expectResponse(responseOf(await ask(url, CANCEL, { id }), 'cancelResponse'), 'CANCELLED', null);
  const last = asObject(asObject((await following)?.['data'])?.['responseStream']);
  expectResponse(asObject(last?.['response']), 'CANCELLED', null);
  socket.close();
};

const created: Job = async ({ url, known, random }) => {
  const chunks = 1 + random(200);
  const characters = chunks * CHUNK_CHARACTERS;
  const { query, variables } = create(quickPlan(chunks));
  const response = responseOf(await ask(url, query, variables), 'createResponse');
  expectResponse(response, 'COMPLETED', characters);
  known.add({ id: asText(response['id']), characters });
};

const abandoned: Job = async ({ url, random }) => askAndLeave(url, create(longPlan()), 50 + random(1500));

const continued: Job = async ({ url, known, random }) => {
  const previous = known.pick();
  if (previous === undefined) return;
  const chunks = 1 + random(50);
  const input = { ...asObject(create(quickPlan(chunks)).variables['input']) };
  const data = await ask(url, CREATE, { input: { ...input, previousResponseId: previous.id } });
  const payload = asObject(data['createResponse']);
  if (payload?.['response'] === null) return; // somebody has deleted it meanwhile
  expectResponse(asObject(payload?.['response']), 'COMPLETED', chunks * CHUNK_CHARACTERS);
};

const inBackground: Job = async ({ url, known }) => {
  const plan = createPlan({ chunks: 50, everyMs: 20, held: false });
  const input = { ...asObject(create(plan).variables['input']), background: true };
  const { id } = responseOf(await ask(url, CREATE, { input }), 'createResponse');
  const characters = plan.chunks * CHUNK_CHARACTERS;
  for (let look = 0; look < 60; look++) {
    await delay(500);
    const response = asObject((await ask(url, READ, { id }))['response']);
    if (response?.['status'] === 'QUEUED' || response?.['status'] === 'IN_PROGRESS') continue;
    expectResponse(response, 'COMPLETED', characters);
    known.add({ id: asText(id), characters });
    return;
  }
  throw new Error(`${id} did not end in the background.`);
};

const listed: Job = async ({ url }) => {
  let after: unknown = null;
  for (let page = 0; page < 3; page++) {
    const connection = asObject((await ask(url, LIST, { after }))['responses']);
    const pageInfo = asObject(connection?.['pageInfo']);
    const edges = asArray(connection?.['edges']);
    if (edges.length !== 50 && pageInfo?.['hasNextPage'] === true) throw new Error('A page is not full.');
    after = pageInfo?.['endCursor'];
  }
};

const read: Job = async ({ url, known }) => {
  const response = known.take();
  if (response === undefined) return;
  const { id, characters } = response;
  expectResponse(asObject((await ask(url, READ, { id }))['response']), 'COMPLETED', characters);
  await ask(url, HISTORY, { id });
  known.add(response);
};

/** Follows what has ended: event by event, or when it has been trimmed as a snapshot. */
const replayed: Job = async ({ url, known }) => {
  const response = known.take();
  if (response === undefined) return;
  const socket = await openGraphQLSocket(url);
  const last = await socket.run(follow(response.id), () => {});
  const event = asObject(asObject(last?.['data'])?.['responseStream']);
  expectResponse(asObject(event?.['response']), 'COMPLETED', null);
  socket.close();
  known.add(response);
};

const deleted: Job = async ({ url, known }) => {
  const id = known.take()?.id;
  if (id === undefined) return;
  const payload = asObject((await ask(url, DELETE, { id }))['deleteResponse']);
  if (payload?.['deletedId'] !== id) throw new Error(JSON.stringify(payload));
  if ((await ask(url, READ, { id }))['response'] !== null) throw new Error(`${id} is still there.`);
};

/** All of them, by name, each with how often it is done in comparison. */
export const jobs: readonly { readonly name: string; readonly weight: number; readonly job: Job }[] = [
  { name: 'followed over WebSocket', weight: 6, job: followed(openOurs, 100, 20) },
  { name: 'followed over SSE', weight: 6, job: followed(openOursSse, 100, 20) },
  { name: 'a quick stream over WebSocket', weight: 3, job: followed(openOurs, 2000, 0) },
  { name: 'a quick stream over SSE', weight: 3, job: followed(openOursSse, 2000, 0) },
  { name: 'left over WebSocket', weight: 4, job: left(openOurs) },
  { name: 'left over SSE', weight: 4, job: left(openOursSse) },
  { name: 'cancelled', weight: 4, job: cancelled },
  { name: 'created', weight: 10, job: created },
  { name: 'created and left', weight: 3, job: abandoned },
  { name: 'continued', weight: 6, job: continued },
  { name: 'in the background', weight: 3, job: inBackground },
  { name: 'listed', weight: 3, job: listed },
  { name: 'read', weight: 8, job: read },
  { name: 'replayed', weight: 4, job: replayed },
  { name: 'deleted', weight: 5, job: deleted },
];
