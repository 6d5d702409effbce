import DataLoader from 'dataloader';
import type { Engine } from '../engine/engine.ts';
import type { ResponseView } from '../engine/read-responses.ts';
import type { ContinuationsQuery, InputItemQuery, InputItemRow, InputReach } from '../engine/readers.ts';
import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import type { Page } from '../protocol/pages.ts';
import type { ResponseState } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { StoredItem } from '../protocol/stored.ts';
import { createWaves, type Waves } from './waves.ts';

/** One query for what all fields of one step ask for. Nothing is kept: a subscription's context lives long. */
export interface Loaders {
  response(id: ResponseId): Promise<ResponseView | null>;
  /** Everything that a view stands for, with its output. */
  state(view: ResponseView): Promise<ResponseState>;
  item(id: ItemId): Promise<StoredItem | null>;
  pendingItems(id: ResponseId): Promise<readonly Item[]>;
  /** The answer to an approval request, on whichever branch it was given. */
  approvalAnswer(id: ItemId): Promise<StoredItem | null>;
  continuations(query: ContinuationsQuery): Promise<Page<ResponseView>>;
  /** Null if there are too many to count; so with the other counts. */
  continuationCount(id: ResponseId): Promise<number | null>;
  inputItems(query: InputItemQuery): Promise<Page<InputItemRow>>;
  inputItemCount(reach: InputReach): Promise<number | null>;
  responses(query: Parameters<Engine['responsesPage']>[1]): Promise<Page<ResponseView>>;
  responseCount(filter: Parameters<Engine['countResponses']>[1]): Promise<number | null>;
}

/** Makes the loaders of an operation when the first is used: most subscriptions, of which there are many, use none. */
export class LazyLoaders implements Loaders {
  private readonly engine: Engine;
  private readonly scope: Scope;
  private made: Loaders | null = null;

  constructor(engine: Engine, scope: Scope) {
    this.engine = engine;
    this.scope = scope;
  }

  response(id: ResponseId) {
    return this.all.response(id);
  }
  state(view: ResponseView) {
    return this.all.state(view);
  }
  item(id: ItemId) {
    return this.all.item(id);
  }
  pendingItems(id: ResponseId) {
    return this.all.pendingItems(id);
  }
  approvalAnswer(id: ItemId) {
    return this.all.approvalAnswer(id);
  }
  continuations(query: ContinuationsQuery) {
    return this.all.continuations(query);
  }
  continuationCount(id: ResponseId) {
    return this.all.continuationCount(id);
  }
  inputItems(query: InputItemQuery) {
    return this.all.inputItems(query);
  }
  inputItemCount(reach: InputReach) {
    return this.all.inputItemCount(reach);
  }
  responses(query: Parameters<Loaders['responses']>[0]) {
    return this.all.responses(query);
  }
  responseCount(filter: Parameters<Loaders['responseCount']>[0]) {
    return this.all.responseCount(filter);
  }

  private get all(): Loaders {
    this.made ??= createLoaders(this.engine, this.scope);
    return this.made;
  }
}

function createLoaders(engine: Engine, scope: Scope): Loaders {
  const waves = createWaves();
  const responses = byId(waves, (ids: readonly ResponseId[]) => engine.responses(scope, ids));
  const items = byId(waves, (ids: readonly ItemId[]) => engine.items(scope, ids));
  const pending = byId(waves, (ids: readonly ResponseId[]) => engine.pendingItems(scope, ids));
  const answers = byId(waves, (ids: readonly ItemId[]) => engine.approvalAnswers(scope, ids));
  const counts = byId(waves, (ids: readonly ResponseId[]) => engine.countContinuations(scope, ids));
  const states = inOrder(waves, nameOfView, (views: readonly ResponseView[]) => engine.states(scope, views));
  const continuations = inOrder(waves, JSON.stringify, (queries: readonly ContinuationsQuery[]) =>
    engine.continuationPages(scope, queries),
  );
  const inputItems = inOrder(waves, JSON.stringify, (queries: readonly InputItemQuery[]) =>
    engine.inputItemPages(scope, queries),
  );
  const inputItemCounts = inOrder(waves, JSON.stringify, (queries: readonly InputReach[]) =>
    engine.countInputItems(scope, queries),
  );
  return {
    response: (id) => responses.load(id),
    state: (view) => states.load(view),
    item: (id) => items.load(id),
    pendingItems: async (id) => (await pending.load(id)) ?? [],
    approvalAnswer: (id) => answers.load(id),
    continuations: (query) => continuations.load(query),
    continuationCount: (id) => counts.load(id),
    inputItems: (query) => inputItems.load(query),
    inputItemCount: (reach) => inputItemCounts.load(reach),
    responses: (query) => waves.awaited(() => engine.responsesPage(scope, query)),
    responseCount: (filter) => waves.awaited(() => engine.countResponses(scope, filter)),
  };
}

function nameOfView({ base, sequenceNumber }: ResponseView): string {
  return `${base.id}:${sequenceNumber}`;
}

/** Of a query that finds what there is of some ids. */
function byId<Id extends string, Value>(
  waves: Waves,
  find: (ids: readonly Id[]) => Promise<ReadonlyMap<Id, Value>>,
) {
  return inOrder<Id, Value | null>(waves, String, async (ids) => {
    const found = await find(ids);
    return ids.map((id) => found.get(id) ?? null);
  });
}

/** Of a query with an answer for each of its keys, in their order. Keys of one name in a wave are one. */
function inOrder<Key, Value>(
  waves: Waves,
  nameOf: (key: Key) => string,
  find: (keys: readonly Key[]) => Promise<readonly Value[]>,
) {
  const answerAll = async (keys: readonly Key[]): Promise<readonly (Value | Error)[]> => {
    const places = new Map<string, number>();
    const different: Key[] = [];
    const asked = keys.map((key) => {
      const name = nameOf(key);
      const place = places.get(name) ?? different.push(key) - 1;
      places.set(name, place);
      return place;
    });
    const answers = await waves.awaited(() => find(different));
    return asked.map((place) => {
      const answer = answers[place];
      return answer === undefined ? new Error('A query gave too few answers.') : answer;
    });
  };
  return new DataLoader(answerAll, { cache: false, batchScheduleFn: waves.join });
}
