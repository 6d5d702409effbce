/** An MCP server among the tools of a request. Trusted, unless `more` says otherwise. */
export function mcp(serverLabel: string, { url }: { readonly url: string }, more: object = {}) {
  return { mcp: { serverLabel, serverUrl: url, requireApproval: { mode: 'NEVER' }, ...more } };
}

/** The same with the default policy: every call must be approved. */
export function mcpAsking(serverLabel: string, server: { readonly url: string }, more: object = {}) {
  return mcp(serverLabel, server, { requireApproval: null, ...more });
}

/** A call that the model makes. */
export function call(name: string, args: object = {}, id?: string) {
  return { name, arguments: JSON.stringify(args), ...(id !== undefined && { id }) };
}

/** The input item that answers an approval request. */
export function answer(approvalRequestId: string, approve: boolean, reason?: string) {
  return { mcpApprovalResponse: { approvalRequestId, approve, ...(reason !== undefined && { reason }) } };
}

export function typesOf(items: readonly { readonly __typename: string }[]): readonly string[] {
  return items.map((item) => item.__typename);
}
