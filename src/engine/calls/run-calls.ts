import { newItemId } from '../../protocol/ids.ts';
import type { JsonObject, OfferedTool } from '../../protocol/tools.ts';
import { ToolFailure } from '../../tools/tool-failure.ts';
import { queryOf } from '../../tools/web-search.ts';
import { asObject } from '../../util/json.ts';
import type { WrittenCall } from '../run/call-writer.ts';
import { addWholeItem } from '../run/event-target.ts';
import { askForApproval, refuseApproval } from './ask-for-approval.ts';
import { callMcpTool, failMcpCall } from './call-mcp-tool.ts';
import { failWebSearch, searchWeb } from './search-web.ts';
import { someAtOnce } from './some-at-once.ts';
import type { ToolContext } from './tool-context.ts';

export interface RoundCalls {
  readonly round: number;
  readonly calls: readonly WrittenCall[];
  /** What the model was shown in this round. */
  readonly offered: readonly OfferedTool[];
}

/** What becomes of a call: this server makes it, or it waits for the client, or it has been answered already. */
type Next = (() => Promise<void>) | 'waits' | 'answered';

/**
 * Answers the calls of a round, as far as this server can: each of them has its answer after this, or waits for
 * the client. Everything is committed when it resolves.
 *
 * @returns true if something waits for the client.
 * @throws the reason of the run's signal when it is stopped. What is open then, whoever ends the run closes.
 */
export async function runCalls(context: ToolContext, round: RoundCalls): Promise<boolean> {
  if (round.calls.length === 0) return false;
  const nexts = round.calls.map((call) => begin(context, call));
  // After the items of the round, so that its calls stay together.
  for (const call of round.calls) if (call.route.kind === 'unknown') answerUnknown(context, call, round);
  context.run.flush();
  await someAtOnce(nexts.filter((next) => typeof next === 'function'));
  await context.run.commit();
  return nexts.includes('waits');
}

function begin(context: ToolContext, call: WrittenCall): Next {
  const { run, budget } = context;
  const { place, route, arguments: json } = call;
  const args = parseArguments(json);
  switch (route.kind) {
    case 'client':
      return 'waits';
    case 'unknown':
      return 'answered';
    case 'mcp': {
      const { server, tool } = route;
      if (route.needsApproval) {
        const failure = args === null ? noObject() : budget.isSpent ? overLimit() : null;
        if (failure !== null) refuseApproval(run, place, { json, failure });
        else askForApproval(run, place, json);
        return failure === null ? 'waits' : 'answered';
      }
      if (args !== null && budget.take())
        return () => callMcpTool(context, place, { server, name: tool.name, args });
      failMcpCall(run, place, args === null ? noObject() : overLimit());
      return 'answered';
    }
    case 'web_search': {
      const query = args && queryOf(args);
      if (query !== null && budget.take())
        return () => searchWeb(context, place, { tool: route.tool, query, json });
      const failure = args === null ? noObject() : query === null ? noQuery() : overLimit();
      failWebSearch(run, place, { json, failure });
      return 'answered';
    }
    default:
      return route satisfies never;
  }
}

/** Tells the model, and whoever reads along, that there is no such tool. */
function answerUnknown(
  { run }: ToolContext,
  { callId, name }: WrittenCall,
  { round, offered }: RoundCalls,
): void {
  const names = offered.map((tool) => tool.name).join(', ');
  const text = `There is no tool "${name}". ${names === '' ? 'No tools are offered.' : `Offered are: ${names}.`}`;
  addWholeItem(run, {
    type: 'function_call_output',
    id: newItemId('fco'),
    status: 'completed',
    round,
    callId,
    content: [{ type: 'input_text', text }],
  });
}

/** The arguments of a call; null if they are no JSON object. None at all count as an empty one. */
export function parseArguments(json: string): JsonObject | null {
  if (json.trim() === '') return {};
  try {
    return asObject(JSON.parse(json));
  } catch {
    return null;
  }
}

const noObject = () => new ToolFailure('invalid_arguments', 'The arguments are not a JSON object.');
const noQuery = () => new ToolFailure('invalid_arguments', 'The arguments hold no query.');
export const overLimit = () =>
  new ToolFailure('limit', 'The call was not made: this response may make no more tool calls.');
