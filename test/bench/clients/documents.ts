import { type Plan, toModel } from '../upstream/plan.ts';
import type { Operation } from './graphql-socket.ts';

/** What every client selects of an event, whichever server it asks. */
const EVENT = `__typename sequenceNumber cursor
    ... on OutputTextDeltaEvent { itemId outputIndex contentIndex delta }
    ... on ResponseLifecycleEvent { response { id status } }`;

const CREATE = `mutation ($input: CreateResponseInput!) {
  createResponse(input: $input) { response { id status outputText } errors { message } }
}`;

const START = `mutation ($input: CreateResponseInput!) {
  createResponse(input: $input) { response { id status } errors { message } }
}`;

const FOLLOW = `subscription ($id: ID!) { responseStream(id: $id) { ${EVENT} } }`;

const STREAM = `subscription ($model: String!) { responseStream(model: $model) { ${EVENT} } }`;

const PUBLISHED = `subscription ($model: String!) { published(model: $model) { ${EVENT} } }`;

const inputOf = (plan: Plan) => ({ model: toModel(plan), input: { text: 'Tell me something long.' } });

/** Ours: starts a run that is to be followed. */
export const start = (plan: Plan): Operation => ({
  query: START,
  variables: { input: { ...inputOf(plan), stream: true } },
});

/** Ours: follows a response. */
export const follow = (id: string): Operation => ({ query: FOLLOW, variables: { id } });

/** Ours: answers when the run has ended. */
export const create = (plan: Plan): Operation => ({ query: CREATE, variables: { input: inputOf(plan) } });

/** The floors: a subscription that starts what it follows. */
export const stream = (plan: Plan): Operation => ({ query: STREAM, variables: { model: toModel(plan) } });

/** The stock build: follows what `publish` starts. */
export const published = (plan: Plan): Operation => ({
  query: PUBLISHED,
  variables: { model: toModel(plan) },
});

/** The stock build: starts a run once it has so many followers, and publishes its events to them. */
export const publish = (plan: Plan, followers: number): Operation => ({
  query: START,
  variables: { input: { ...inputOf(plan), followers } },
});
