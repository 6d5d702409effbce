import { expect, test } from 'vitest';
import { type Answer, type ChatBody, chunk, streams } from '../support/chat-server.ts';
import { outputFor, pendingItems, run, sentTo } from '../support/run.ts';
import { startTestApp } from '../support/test-app.ts';

const tools = [{ function: { name: 'f' } }, { function: { name: 'g' } }];

test.each([1, 2, 3])(
  'whatever a model sends, the stream keeps its rules and the branch goes on (%i)',
  async (seed) => {
    await using app = await startTestApp({ config: { maxRounds: 4 } });
    const dice = createDice(seed);
    let previous: { readonly id: string } | null = null;
    for (let turn = 0; turn < 20; turn++) {
      app.upstream.enqueue(...Array.from({ length: 4 }, () => anyAnswer(dice)));
      const waiting: { callId: string }[] = previous === null ? [] : await pendingItems(app, previous.id);
      const items = [
        ...waiting.map(({ callId }) => outputFor(callId, 'done')),
        { message: { content: { text: 'On' } } },
      ];
      previous = await run(app, {
        input: { items },
        tools,
        previousResponseId: previous?.id,
        parallelToolCalls: dice.below(3) > 0,
      });
      checkPairing(sentTo(app).messages);
    }
  },
);

type Dice = ReturnType<typeof createDice>;

/** The same throws for the same seed (a linear congruential generator). */
function createDice(seed: number) {
  let state = seed;
  const below = (limit: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * limit);
  };
  const pick = <Value>(values: readonly Value[]) => values[below(values.length)] as Value;
  return { below, pick };
}

function anyAnswer(dice: Dice): Answer {
  const end = dice.pick<object[]>([
    [chunk({}, 'stop')],
    [chunk({}, 'tool_calls')],
    [chunk({}, 'length')],
    [chunk({}, 'content_filter')],
    [{ error: { message: 'Away', code: 500 } }],
    [],
  ]);
  return streams(...Array.from({ length: dice.below(9) }, () => anyChunk(dice)), ...end);
}

function anyChunk({ below, pick }: Dice): object {
  const call = {
    index: pick([0, 1, 2, undefined]),
    id: pick(['a', 'b', '', undefined]),
    function: { name: pick(['f', 'g', 'ghost', '', undefined]), arguments: pick(['{', '}', '', null]) },
  };
  const annotations = [{ url_citation: { url: 'https://example.com' } }];
  const deltas = [
    { content: pick(['a', '', '\ud83d', 'some words ']) },
    { reasoning: pick(['hm', '']) },
    { refusal: 'no' },
    { annotations },
    { reasoning_details: [{ type: 'reasoning.encrypted', data: 'AAAA' }] },
    { tool_calls: [call] },
    { content: 'a', refusal: 'b', reasoning_content: 'c', annotations, tool_calls: [call, call] },
  ];
  if (below(8) === 0) return { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } };
  return chunk(pick<object>(deltas) as Parameters<typeof chunk>[0]);
}

/** What every upstream demands: each assistant message's calls are answered directly after it, and nothing else is. */
function checkPairing(messages: ChatBody['messages']): void {
  let open: string[] = [];
  for (const { role, ...message } of messages) {
    if (role === 'tool') expect(message['tool_call_id']).toBe(open.shift());
    else {
      expect(open).toEqual([]);
      open = ((message['tool_calls'] ?? []) as { id: string }[]).map(({ id }) => id);
    }
  }
  expect(open).toEqual([]);
}
