import type { Tool, ToolChoice } from '../protocol/tools.ts';

/** Who answers a call: asked once, when the call begins; nobody looks at the name again. */
export type Route =
  /** A function that the client runs. */
  | { readonly kind: 'client' }
  /** A name that the model was never offered. */
  | { readonly kind: 'unknown' };

export interface Toolbox {
  /** The tools that the model is shown. */
  readonly offered: readonly Tool[];
  route(name: string): Route;
}

/**
 * The only place where a tool is looked up by its name. `allowed_tools` narrows what is offered here, and is not
 * sent upstream: few servers know it, and what a model is not shown it cannot be tempted by.
 */
export function createToolbox(tools: readonly Tool[], choice: ToolChoice): Toolbox {
  const allowed =
    choice.mode === 'allowed_tools' ? new Set(choice.allowedTools.map(({ name }) => name)) : null;
  const offered = tools.filter((tool) => allowed === null || allowed.has(tool.name));
  const names = new Set(offered.map((tool) => tool.name));
  return { offered, route: (name) => (names.has(name) ? { kind: 'client' } : { kind: 'unknown' }) };
}

/** What a choice comes to from the second round on: forced again in every round, a call would never end. */
export function unforced(choice: ToolChoice): ToolChoice {
  return choice.mode === 'none' ? choice : { mode: 'auto' };
}
