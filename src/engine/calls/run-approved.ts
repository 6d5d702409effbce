import { type ApprovedCall, approvedCalls } from '../../protocol/approvals.ts';
import { newItemId } from '../../protocol/ids.ts';
import { isAllowed } from '../../tools/mcp-filter.ts';
import { ToolFailure } from '../../tools/tool-failure.ts';
import { addItem, type Place } from '../run/event-target.ts';
import { callMcpTool, failMcpCall } from './call-mcp-tool.ts';
import { overLimit, parseArguments } from './run-calls.ts';
import { someAtOnce } from './some-at-once.ts';
import type { ToolContext } from './tool-context.ts';

/**
 * Makes the calls that the client has approved, before the model is asked, but for those that another process had
 * begun. That no other response makes them was settled when this one was committed. Everything is committed when it resolves.
 *
 * @throws the reason of the run's signal when it is stopped.
 */
export async function runApproved(context: ToolContext): Promise<void> {
  const { run } = context;
  const made = new Set(
    run.state.output.flatMap((item) => (item.type === 'mcp_call' ? [item.approvalRequestId] : [])),
  );
  const approved = approvedCalls(run.context, run.ownInput).filter(({ request }) => !made.has(request.id));
  if (approved.length === 0) return;
  const begun = approved.map((call) => ({ call, place: beginCall(context, call) }));
  run.flush();
  await someAtOnce(
    begun.map(
      ({ call, place }) =>
        () =>
          makeCall(context, place, call),
    ),
  );
  await run.commit();
}

function beginCall({ run }: ToolContext, { request }: ApprovedCall): Place {
  const { callId, serverLabel, name, calledAs, arguments: json, id: approvalRequestId } = request;
  const place = addItem(run, {
    type: 'mcp_call',
    id: newItemId('mcp'),
    status: 'in_progress',
    round: null,
    callId,
    arguments: '',
    serverLabel,
    name,
    calledAs,
    started: false,
    content: [],
    error: null,
    approvalRequestId,
  });
  run.emit({ type: 'response.mcp_call.in_progress', ...place });
  if (json !== '') run.emit({ type: 'response.mcp_call_arguments.delta', ...place, delta: json });
  return place;
}

async function makeCall(context: ToolContext, place: Place, { request }: ApprovedCall): Promise<void> {
  const { run, listings, budget } = context;
  const { serverLabel, name } = request;
  const server = run.base.settings.tools.find(
    (tool) => tool.type === 'mcp' && tool.serverLabel === serverLabel,
  );
  const args = parseArguments(request.arguments);
  if (server?.type !== 'mcp' || args === null) throw new Error('An approved call was not checked.');
  // A filter of this request counts too; what is not known of a tool speaks against it.
  const tool = listings.get(serverLabel)?.find((each) => each.name === name) ?? { name, annotations: null };
  if (!isAllowed(server.allowedTools, tool)) {
    const message = `The tool "${name}" of "${serverLabel}" is not among the allowed tools.`;
    return failMcpCall(run, place, new ToolFailure('blocked', message));
  }
  if (!budget.take()) return failMcpCall(run, place, overLimit());
  return callMcpTool(context, place, { server, name, args });
}
