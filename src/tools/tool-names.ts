import { MAX_TOOL_NAME, TOOL_NAME, toLegalName } from '../protocol/tools.ts';

/** Where a tool of an MCP server comes from. */
export interface McpOrigin {
  readonly server: { readonly serverLabel: string };
  readonly tool: { readonly name: string };
}

/** The name itself where it is legal and not taken, else one that is and shows where it comes from. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  return createAliases(taken)(wanted);
}

/**
 * The names under which a model is shown the tools of MCP servers: their own where that is legal and nothing
 * else has it, `label_name` as far as that is legal where not. Depends on nothing but what is given, so that
 * every round and every take-over comes to the same names.
 */
export function nameMcpTools<Origin extends McpOrigin>(
  origins: readonly Origin[],
  taken: ReadonlySet<string>,
): readonly (Origin & { readonly calledAs: string })[] {
  const counts = new Map<string, number>();
  for (const { tool } of origins) counts.set(tool.name, (counts.get(tool.name) ?? 0) + 1);
  const keepsName = ({ tool: { name } }: McpOrigin) =>
    TOOL_NAME.test(name) && !taken.has(name) && counts.get(name) === 1;

  // Names that stay come first: whatever the order, no alias takes one of them away.
  const toAlias = createAliases(
    new Set([...taken, ...origins.filter(keepsName).map(({ tool }) => tool.name)]),
  );
  return origins.map((origin) => {
    const { server, tool } = origin;
    const calledAs = keepsName(origin) ? tool.name : toAlias(`${server.serverLabel}_${tool.name}`);
    return { ...origin, calledAs };
  });
}

/** Gives out legal names, none of them twice. */
function createAliases(taken: ReadonlySet<string>): (wanted: string) => string {
  const used = new Set(taken);
  const lastNumbers = new Map<string, number>(); // where to go on counting: a server may list thousands alike
  return (wanted) => {
    const legal = toLegalName(wanted);
    let alias = legal;
    let number = lastNumbers.get(legal) ?? 1;
    while (used.has(alias)) {
      const suffix = `_${++number}`;
      alias = legal.slice(0, MAX_TOOL_NAME - suffix.length) + suffix;
    }
    lastNumbers.set(legal, number);
    used.add(alias);
    return alias;
  };
}
