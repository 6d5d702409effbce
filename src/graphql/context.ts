import DataLoader from 'dataloader';
import type { Engine } from '../engine/engine.ts';
import type { ResponseView } from '../engine/read-responses.ts';
import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import type { Scope } from '../protocol/scope.ts';
import type { StoredItem } from '../protocol/stored.ts';

/** What every resolver is given, the same over HTTP, SSE and WebSocket. */
export interface Context {
  readonly engine: Engine;
  readonly scope: Scope;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
  readonly load: Loaders;
}

/** One query for what all fields of one step ask for. Nothing is kept: a subscription's context lives long. */
export interface Loaders {
  response(id: ResponseId): Promise<ResponseView | null>;
  item(id: ItemId): Promise<StoredItem | null>;
  output(id: ResponseId): Promise<readonly Item[]>;
  pendingItems(id: ResponseId): Promise<readonly Item[]>;
  /** The answer to an approval request, on whichever branch it was given. */
  approvalAnswer(id: ItemId): Promise<StoredItem | null>;
}

export function createContext(caller: Omit<Context, 'load'>): Context {
  const { engine, scope } = caller;
  const responses = batched((ids: readonly ResponseId[]) => engine.responses(scope, ids));
  const items = batched((ids: readonly ItemId[]) => engine.items(scope, ids));
  const outputs = batched((ids: readonly ResponseId[]) => engine.outputs(scope, ids));
  const pending = batched((ids: readonly ResponseId[]) => engine.pendingItems(scope, ids));
  const answers = batched((ids: readonly ItemId[]) => engine.approvalAnswers(scope, ids));
  return {
    ...caller,
    load: {
      response: async (id) => (await responses.load(id)) ?? null,
      item: async (id) => (await items.load(id)) ?? null,
      output: async (id) => (await outputs.load(id)) ?? [],
      pendingItems: async (id) => (await pending.load(id)) ?? [],
      approvalAnswer: async (id) => (await answers.load(id)) ?? null,
    },
  };
}

function batched<Key, Value>(find: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>) {
  return new DataLoader<Key, Value | undefined>(
    async (keys) => {
      const found = await find([...new Set(keys)]);
      return keys.map((key) => found.get(key));
    },
    { cache: false },
  );
}
