import { expect } from 'vitest';
import { sentTo } from './run.ts';
import type { TestApp } from './test-app.ts';

/**
 * What the model was told of its calls, call by call, in the upstream request number `index`; a negative one counts
 * from the end. Checked on every request so far: behind each assistant message stand the tool messages of exactly
 * its calls, in their order, and nowhere else is one.
 */
export function toldTo(app: TestApp, index = -1): readonly unknown[] {
  for (const { body } of app.upstream.exchanges) checkToolMessages(body.messages);
  const tools = sentTo(app, index).messages.filter(({ role }) => role === 'tool');
  return tools.map(({ content }) => content);
}

interface Message {
  readonly role: string;
  readonly content: unknown;
  readonly [key: string]: unknown;
}

function checkToolMessages(messages: readonly Message[]): void {
  const ids: string[] = [];
  let owed: readonly string[] = [];
  for (const { role, content, ...more } of messages) {
    if (role === 'tool') {
      expect(more['tool_call_id'], 'the answer to the next call').toBe(owed[0]);
      expect(typeof content).toBe('string');
      owed = owed.slice(1);
      continue;
    }
    expect(owed, `without an answer before a message of ${role}`).toEqual([]);
    const calls = (more['tool_calls'] ?? []) as readonly { readonly id: string }[];
    owed = calls.map(({ id }) => id);
    ids.push(...owed);
  }
  expect(owed, 'without an answer at the end').toEqual([]);
  expect(new Set(ids).size, 'ids of calls').toBe(ids.length);
}

/** The names of the tools that the model was shown in the upstream request number `index`. */
export function namesShownTo(app: TestApp, index = -1): readonly string[] {
  const tools = (sentTo(app, index)['tools'] ?? []) as readonly {
    readonly function: { readonly name: string };
  }[];
  return tools.map((tool) => tool.function.name);
}
