import type { Upstream } from '../upstream/upstream.ts';
import type { Server } from './server.ts';
import type { ServerName } from './server-names.ts';

/** What one server did in one round: figures by the names of their columns. */
export type Sample = { readonly [column: string]: number };

/** What a scenario works with. */
export interface Bench {
  readonly upstream: Upstream;
  /** True: less of everything, for a first look. */
  readonly isQuick: boolean;
}

/** A claim: a figure of ours divided by the same figure of another server in the same round. */
export interface Target {
  readonly column: string;
  readonly of: ServerName;
  readonly against: ServerName;
  readonly sense: 'at most' | 'at least';
  readonly ratio: number;
}

/** A claim about a figure of ours alone. */
export interface Limit {
  readonly column: string;
  readonly of: ServerName;
  readonly atMost: number;
}

export interface Scenario {
  readonly name: string;
  /** One line that says what is measured. */
  readonly title: string;
  readonly servers: readonly ServerName[];
  readonly targets: readonly Target[];
  readonly limits?: readonly Limit[];
  /** How often every server is measured, at most. */
  readonly rounds?: number;
  /** True: each round starts the servers anew. */
  readonly isFresh?: boolean;
  /** Makes the server's code hot. */
  warmUp(server: Server, bench: Bench): Promise<void>;
  measure(server: Server, bench: Bench): Promise<Sample>;
}
