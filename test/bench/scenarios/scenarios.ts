import type { Scenario } from '../support/scenario.ts';
import { sse } from './sse.ts';
import { ws } from './ws.ts';

/** All of them, in the order in which they are played. */
export const scenarios: readonly Scenario[] = [ws, sse];
