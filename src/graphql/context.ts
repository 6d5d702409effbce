import type { Engine } from '../engine/engine.ts';
import type { Scope } from '../protocol/scope.ts';
import { LazyLoaders, type Loaders } from './loaders.ts';

/** What every resolver is given, the same over HTTP, SSE and WebSocket. */
export interface Context {
  readonly engine: Engine;
  readonly scope: Scope;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
  readonly load: Loaders;
}

export function createContext(caller: Omit<Context, 'load'>): Context {
  return { ...caller, load: new LazyLoaders(caller.engine, caller.scope) };
}
