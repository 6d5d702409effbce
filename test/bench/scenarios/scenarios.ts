import type { Scenario } from '../support/scenario.ts';
import { createScenario } from './create.ts';
import { fanout } from './fanout.ts';
import { first } from './first.ts';
import { guarded } from './guarded.ts';
import { idle } from './idle.ts';
import { paced } from './paced.ts';
import { sse } from './sse.ts';
import { ws } from './ws.ts';

/** All of them, in the order in which they are played. */
export const scenarios: readonly Scenario[] = [ws, sse, paced, first, createScenario, fanout, idle, guarded];
