import { type ModelClient, ModelError } from '../../model/model-client.ts';
import type { Item } from '../../protocol/items.ts';
import { sourcesOf } from '../../protocol/sources.ts';
import type { McpSecrets } from '../../protocol/tools.ts';
import { findCitations } from '../../tools/citations.ts';
import { createMcpServers, type Fetch, type McpServers, NO_MCP_SERVERS } from '../../tools/mcp-servers.ts';
import { createToolbox } from '../../tools/toolbox.ts';
import type { WebSearch } from '../../tools/web-search.ts';
import { kindOf } from '../../util/errors.ts';
import type { Logger } from '../../util/logger.ts';
import { listTools } from '../calls/list-tools.ts';
import { withoutLostSecrets } from '../calls/lost-secrets.ts';
import { runApproved } from '../calls/run-approved.ts';
import { runCalls } from '../calls/run-calls.ts';
import { maxOutputTokens, maxRounds, type StopRule, ToolBudget, tokensLeft } from './limits.ts';
import type { Outcome } from './outcome.ts';
import { resumePoint } from './resume-point.ts';
import type { Run } from './run.ts';
import { runRound } from './run-round.ts';
import { Truncation } from './truncation.ts';

export interface RunDependencies {
  readonly model: ModelClient;
  readonly webSearch: WebSearch | null;
  /** The way out to addresses that callers name. */
  readonly fetch: Fetch;
  readonly logger: Logger;
  /** Model calls in one run. */
  readonly maxRounds: number;
  /** For one tool call, in milliseconds. */
  readonly toolTimeoutMs: number;
}

/**
 * Takes a run from where it stands to its terminal event: a new one from its first model call, one that another
 * process had begun from the round after those that its output holds. A failure is an outcome; it throws only what breaks
 * the run itself. `secrets` are those of its MCP servers, and are gone with it. Resolves when their sessions are
 * closed too, which nobody who waits for the response needs to wait for.
 */
export async function runResponse(
  run: Run,
  secrets: McpSecrets,
  dependencies: RunDependencies,
): Promise<void> {
  const { logger } = dependencies;
  const servers = openServers(run, secrets, dependencies);
  try {
    let reason: string | null = null;
    const outcome = await runRounds(run, servers, dependencies).catch((error: unknown) => {
      reason = run.signal.aborted ? String(run.signal.reason) : kindOf(error);
      return toOutcome(run, error, logger);
    });
    if (outcome === null) return;
    run.end(outcome);
    const { id: responseId, settings } = run.base;
    const about = { responseId, model: settings.model };
    // Not the message: an upstream's may repeat the prompt.
    if (outcome.status === 'failed')
      logger.warn({ ...about, code: outcome.error.code, reason }, 'a run failed');
    else logger.debug({ ...about, status: outcome.status }, 'a run ended');
  } finally {
    await servers.close();
  }
}

function openServers(
  { base: { settings } }: Run,
  secrets: McpSecrets,
  { fetch, toolTimeoutMs: timeoutMs }: RunDependencies,
): McpServers {
  if (!settings.tools.some(({ type }) => type === 'mcp')) return NO_MCP_SERVERS;
  return withoutLostSecrets(createMcpServers({ fetch, secrets, timeoutMs }), secrets);
}

async function runRounds(run: Run, servers: McpServers, dependencies: RunDependencies): Promise<Outcome> {
  const { model, webSearch, maxRounds: limit, toolTimeoutMs: timeoutMs } = dependencies;
  const { settings } = run.base;
  const start = resumePoint(run.state.output);
  if (start.isOver) return { status: 'completed' };
  const budget = new ToolBudget(settings, run.state.output);
  const listings = await listTools(run, servers, budget);
  const toolbox = createToolbox({ tools: settings.tools, listings, choice: settings.toolChoice });
  if (toolbox.missing !== null) return failed(toolbox.missing);

  const context = { run, servers, webSearch, budget, listings, timeoutMs };
  await run.handBack.unbroken(() => runApproved(context));

  let callIds: Set<string> | null = null;
  const usedCallIds = () => (callIds ??= callIdsIn([...run.context, ...run.state.output]));
  const truncation = new Truncation(run);
  const rules: readonly StopRule[] = [maxRounds(limit), maxOutputTokens(settings)];
  for (let { round } = start; ; round++) {
    run.handBack.passBoundary();
    const progress = { rounds: round, usage: run.usedTokens };
    const reason = rules.map((rule) => rule(progress)).find((found) => found !== null);
    if (reason) return { status: 'incomplete', reason };

    const offer = toolbox.offer({ first: round === 0, serverRun: !budget.isSpent });
    const conversation = [...run.context, ...run.state.output];
    const sources = sourcesOf(conversation);
    const result = await truncation.attempt(conversation, (shown) =>
      runRound(run, {
        model,
        request: {
          settings,
          context: shown,
          tools: offer.tools,
          toolChoice: offer.choice,
          maxOutputTokens: tokensLeft(settings, progress),
        },
        writing: {
          round,
          route: (name) => toolbox.route(name),
          parallelToolCalls: settings.parallelToolCalls,
          usedCallIds,
          citations: (text) => (sources.length === 0 ? [] : findCitations(text, sources)),
        },
      }),
    );
    if (result.reason === 'length') return { status: 'incomplete', reason: 'max_output_tokens' };
    if (result.reason === 'content_filter') return { status: 'incomplete', reason: 'content_filter' };
    const offered = offer.choice.mode === 'none' ? [] : offer.tools;
    const waits = await run.handBack.unbroken(() =>
      runCalls(context, { round, calls: result.calls, offered }),
    );
    if (waits || result.calls.length === 0) return { status: 'completed' };
  }
}

function callIdsIn(context: readonly Item[]): Set<string> {
  return new Set(context.flatMap((item) => ('callId' in item ? [item.callId] : [])));
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
