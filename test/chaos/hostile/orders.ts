/** What a hostile process is told to do. */
export type Order =
  /** Open so many WebSockets and say nothing more; `keys`: introduce them with these in turn. */
  | {
      readonly type: 'idle';
      readonly url: string;
      readonly count: number;
      readonly keys: readonly string[];
    }
  /** Keep so many WebSockets open that do not introduce themselves; who is thrown out comes again. */
  | { readonly type: 'silent'; readonly url: string; readonly count: number }
  /** Keep so many requests under way that never arrive, a byte every second; who is thrown out comes again. */
  | { readonly type: 'slow'; readonly url: string; readonly count: number; readonly key: string }
  /** Follow a response so many times on one WebSocket. */
  | {
      readonly type: 'subscribe';
      readonly url: string;
      readonly count: number;
      readonly key: string;
      readonly id: string;
    }
  /** Let everything go. */
  | { readonly type: 'leave' };

/** How often what came of it, when an order has been carried out, and when it has been left. */
export type Outcome = { readonly [what: string]: number };
