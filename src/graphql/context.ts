import type { Engine } from '../engine/engine.ts';
import type { Caller } from '../protocol/caller.ts';
import type { Scope } from '../protocol/scope.ts';
import { LazyLoaders, type Loaders } from './loaders.ts';

/** What every resolver is given, the same over HTTP, SSE and WebSocket. */
export interface Context {
  readonly engine: Engine;
  readonly caller: Caller;
  readonly scope: Scope;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
  readonly isOverSocket: boolean;
  readonly load: Loaders;
}

export function createContext(operation: Omit<Context, 'scope' | 'load'>): Context {
  const { engine, caller } = operation;
  return { ...operation, scope: caller.scope, load: new LazyLoaders(engine, caller.scope) };
}
