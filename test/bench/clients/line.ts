import type { Plan } from '../upstream/plan.ts';

/** A connection of one client to one of the servers. One stream at a time. */
export interface Line {
  /** Has the stream played and resolves when it has ended; fails if not as COMPLETED. `onText` hears of every piece of its text. */
  play(plan: Plan, onText: OnText): Promise<void>;
  close(): void;
}

export type OnText = (characters: number) => void;

/** Connects a client to the server at this address (`http://…/graphql`). */
export type OpenLine = (url: string) => Promise<Line>;
