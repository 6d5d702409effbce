import { asItemId, type ItemPrefix, newCallId, newItemId } from '../../protocol/ids.ts';
import type { Item, WebSearchCallItem } from '../../protocol/items.ts';
import type { RequestError } from '../../protocol/request-error.ts';
import { sourcesOf } from '../../protocol/sources.ts';
import { toSearchOutput } from '../../tools/web-search.ts';
import type { CreateInput } from './create-input.ts';
import { quoted } from './sizes.ts';

export type ItemInput = NonNullable<CreateInput['input']['items']>[number];

/** Ids of their own; what comes whole is complete. */
export function fresh<const Prefix extends ItemPrefix>(prefix: Prefix) {
  return { id: newItemId(prefix), status: 'completed' as const, round: null };
}

/**
 * An item of what a server ran: an approval, or something that a client has kept itself and gives back. Null for
 * items of any other kind. Sources get their numbers from `numberSources`.
 */
export function toToolItem(
  { mcpApprovalResponse, webSearchCall, mcpListTools, mcpCall }: ItemInput,
  { path, errors }: { readonly path: readonly string[]; readonly errors: RequestError[] },
): readonly Item[] | null {
  if (mcpApprovalResponse) {
    const { approve, reason, approvalRequestId: given } = mcpApprovalResponse;
    const approvalRequestId = asItemId(given);
    if (approvalRequestId === null) {
      errors.push(approvalNotFound(given, [...path, 'mcpApprovalResponse', 'approvalRequestId']));
      return [];
    }
    return [
      { ...fresh('mcpa'), type: 'mcp_approval_response', approvalRequestId, approve, reason: reason ?? null },
    ];
  }
  if (webSearchCall) {
    const { query } = webSearchCall;
    const sources = (webSearchCall.sources ?? []).map(({ url, title }) => ({ url, title: title ?? null }));
    return [
      {
        ...fresh('ws'),
        type: 'web_search_call',
        callId: newCallId(),
        calledAs: 'web_search',
        arguments: JSON.stringify({ query }),
        query,
        sources,
        firstNumber: 1,
        output: '',
        error: null,
      },
    ];
  }
  if (mcpListTools) {
    const tools = mcpListTools.tools.map(({ name, description, inputSchema, annotations }) => {
      return { name, description: description ?? null, inputSchema, annotations: annotations ?? null };
    });
    const listing = { serverLabel: mcpListTools.serverLabel, serverUrl: null, filter: null, tools };
    return [{ ...fresh('mcpl'), type: 'mcp_list_tools', ...listing, error: null }];
  }
  if (mcpCall) {
    const { serverLabel, name, arguments: json, output, error } = mcpCall;
    const hasFailed = typeof error === 'string';
    return [
      {
        ...fresh('mcp'),
        status: hasFailed ? 'failed' : 'completed',
        type: 'mcp_call',
        callId: newCallId(),
        arguments: json,
        serverLabel,
        name,
        calledAs: name,
        started: true,
        content: typeof output === 'string' ? [{ type: 'input_text', text: output }] : [],
        error: hasFailed ? { type: 'execution', code: null, message: error } : null,
        approvalRequestId: null,
      },
    ];
  }
  return null;
}

export function approvalNotFound(id: string, path: readonly string[]): RequestError {
  const message = `There is no approval request ${quoted(id)}.`;
  return { code: 'APPROVAL_NOT_FOUND', message, path };
}

/** An input whose searches are numbered on from what its history has told the model. Copies keep their excerpts. */
export function numberSources(history: readonly Item[], input: readonly Item[]): readonly Item[] {
  if (!input.some(({ type }) => type === 'web_search_call')) return input;
  let count = sourcesOf(history).length;
  return input.map((item) => {
    if (item.type !== 'web_search_call') return item;
    const firstNumber = count + 1;
    count += item.sources.length;
    const snippets = snippetsIn(item);
    const results = item.sources.map((source, index) => ({ ...source, snippet: snippets[index] ?? '' }));
    return { ...item, firstNumber, output: toSearchOutput(results, firstNumber) };
  });
}

/** The excerpts in the output of a search, source by source: the last lines of its blocks, which they never break. */
function snippetsIn({ output, sources, firstNumber }: WebSearchCallItem): readonly string[] {
  const blocks = output.split('\n\n');
  return sources.map((source, index) => {
    const head = `${toSearchOutput([{ ...source, snippet: '' }], firstNumber + index)}\n`;
    const block = blocks[index] ?? '';
    return block.startsWith(head) ? block.slice(head.length) : '';
  });
}
