import type { ChatRequest } from './chat-request.ts';

/** Which functions may be called in this answer, and whether one of them must be. */
export type CallRule =
  | { readonly kind: 'never' }
  | { readonly kind: 'free'; readonly offered: readonly string[] }
  | { readonly kind: 'must'; readonly offered: readonly [string, ...string[]] }
  | { readonly kind: 'impossible'; readonly reason: string };

/** `tools` and `tool_choice` as one rule; `impossible` when a call is demanded that no tool could answer. */
export function toCallRule({ tools, tool_choice: choice }: ChatRequest): CallRule {
  const offered = (tools ?? []).map((tool) => tool.function.name);
  if (choice === 'none') return { kind: 'never' };
  if (choice === null || choice === undefined || choice === 'auto') return { kind: 'free', offered };
  if (choice === 'required') return must(offered, 'a function');
  const { name } = choice.function;
  return must(offered.includes(name) ? [name] : [], `the function "${name}"`);
}

function must([first, ...rest]: readonly string[], demanded: string): CallRule {
  return first === undefined
    ? { kind: 'impossible', reason: `'tool_choice' demands ${demanded}, and 'tools' offers none such.` }
    : { kind: 'must', offered: [first, ...rest] };
}
