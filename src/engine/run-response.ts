import { type ModelClient, ModelError } from '../model/model-client.ts';
import { newItemId } from '../protocol/ids.ts';
import type { FunctionCallItem, FunctionCallOutputItem, Item } from '../protocol/items.ts';
import type { Tool } from '../protocol/tools.ts';
import { createToolbox, unforced } from '../tools/toolbox.ts';
import type { Logger } from '../util/logger.ts';
import { maxOutputTokens, maxRounds, type StopRule, tokensLeft } from './limits.ts';
import type { Outcome, Run } from './run.ts';
import { runRound } from './run-round.ts';

export interface RunDependencies {
  readonly model: ModelClient;
  readonly logger: Logger;
  /** Model calls in one run. */
  readonly maxRounds: number;
}

/** Takes a run from its first model call to its terminal event. A failure is an outcome; it throws only what breaks the run itself. */
export async function runResponse(run: Run, dependencies: RunDependencies): Promise<void> {
  const { logger } = dependencies;
  const outcome = await runRounds(run, dependencies).catch((error: unknown) => toOutcome(run, error, logger));
  if (outcome === null) return;
  run.end(outcome);
  const { id: responseId, settings } = run.base;
  const about = { responseId, model: settings.model };
  // The code only: an upstream's message may repeat the prompt.
  if (outcome.status === 'failed') logger.warn({ ...about, code: outcome.error.code }, 'a run failed');
  else logger.debug({ ...about, status: outcome.status }, 'a run ended');
}

async function runRounds(run: Run, { model, maxRounds: limit }: RunDependencies): Promise<Outcome> {
  const { settings } = run.base;
  const toolbox = createToolbox(settings.tools, settings.toolChoice);
  const usedCallIds = callIdsIn(run.context);
  const rules: readonly StopRule[] = [maxRounds(limit), maxOutputTokens(settings)];
  for (let rounds = 0; ; rounds++) {
    const progress = { rounds, usage: run.usedTokens };
    const reason = rules.map((rule) => rule(progress)).find((found) => found !== null);
    if (reason) return { status: 'incomplete', reason };

    const result = await runRound(run, {
      model,
      request: {
        settings,
        context: [...run.context, ...run.state.output],
        tools: toolbox.offered,
        toolChoice: rounds === 0 ? settings.toolChoice : unforced(settings.toolChoice),
        maxOutputTokens: tokensLeft(settings, progress),
      },
      writing: {
        round: rounds,
        route: (name) => toolbox.route(name),
        parallelToolCalls: settings.parallelToolCalls,
        usedCallIds,
      },
    });
    if (result.reason === 'length') return { status: 'incomplete', reason: 'max_output_tokens' };
    if (result.reason === 'content_filter') return { status: 'incomplete', reason: 'content_filter' };
    for (const { item, route } of result.calls) {
      if (route.kind === 'unknown') answerUnknown(run, item, { round: rounds, offered: toolbox.offered });
    }
    run.flush();
    const forClient = result.calls.some(({ route }) => route.kind === 'client');
    if (forClient || result.calls.length === 0) return { status: 'completed' };
  }
}

/** Tells the model, and whoever reads along, that there is no such tool. */
function answerUnknown(
  run: Run,
  { callId, name }: FunctionCallItem,
  { round, offered }: { readonly round: number; readonly offered: readonly Tool[] },
): void {
  const names = offered.map((tool) => tool.name).join(', ');
  const text = `There is no tool "${name}". ${names === '' ? 'No tools are offered.' : `Offered are: ${names}.`}`;
  const item: FunctionCallOutputItem = {
    type: 'function_call_output',
    id: newItemId('fco'),
    status: 'completed',
    round,
    callId,
    content: [{ type: 'input_text', text }],
  };
  const place = { itemId: item.id, outputIndex: run.state.output.length };
  run.emit({ type: 'response.output_item.added', ...place, item: { ...item, status: 'in_progress' } });
  run.emit({ type: 'response.output_item.done', ...place, item });
}

function callIdsIn(context: readonly Item[]): Set<string> {
  return new Set(context.flatMap((item) => (item.type === 'function_call' ? [item.callId] : [])));
}

/** How a run ends that something was thrown in; null if it is not ours to end. */
function toOutcome(run: Run, error: unknown, logger: Logger): Outcome | null {
  if (run.lost) return null;
  if (run.signal.aborted) {
    return run.signal.reason === 'shutdown'
      ? failed('The server was stopped before this response was complete.')
      : { status: 'cancelled' };
  }
  if (error instanceof ModelError) {
    return { status: 'failed', error: { code: error.code, message: error.message } };
  }
  logger.error({ error, responseId: run.base.id }, 'a run broke');
  return failed('Internal server error.');
}

function failed(message: string): Outcome {
  return { status: 'failed', error: { code: 'server_error', message } };
}
