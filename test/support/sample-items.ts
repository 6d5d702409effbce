import type {
  ContentPart,
  InputPart,
  OutputTextPart,
  ReasoningTextPart,
} from '../../src/protocol/content.ts';
import type { ItemId } from '../../src/protocol/ids.ts';
import type { Item, ToolError } from '../../src/protocol/items.ts';

type Random = (limit: number) => number;

/** What goes wrong between a string, JSON and UTF-8, and between the frames of a stream. */
const NASTY = [
  '',
  'plain',
  'naïve ß',
  '日本語',
  '👩‍👩‍👧 𝄞',
  '\ud83d',
  '\udc00 half',
  'line\nfeed\r\n\ttab',
  '"quoted" \\back\\ /slash',
  '\u2028\u2029',
  '\0\u0001\u001f\u007f\u0080',
  '</script>&lt;',
  'data: {}\n\nevent: complete',
  '\ufeffbom\ufffd',
];

/** A short text of such pieces, now and then none at all. */
export function anyText(random: Random): string {
  const pieces = Array.from({ length: random(4) }, () => NASTY[random(NASTY.length)] ?? '');
  return pieces.join('');
}

export function oneOf<const Value>(random: Random, values: readonly [Value, ...Value[]]): Value {
  return values[random(values.length)] ?? values[0];
}

/** A value, or null as often. */
export function orNull<Value>(random: Random, value: Value): Value | null {
  return random(2) === 0 ? value : null;
}

export function anyItemId(random: Random): ItemId {
  const digits = Array.from({ length: 32 }, () => random(16).toString(16)).join('');
  return `${oneOf(random, ['msg', 'fc', 'rs', 'mcp', 'mcpr'])}_${digits}` as ItemId;
}

export function anyLogprobs(random: Random) {
  const bare = () => ({
    token: anyText(random),
    logprob: oneOf(random, [0, -0, -1.5, -1e-9, -1e21, -0.1 - 0.2, -3]),
    bytes: orNull(random, [0, random(256), 255]),
  });
  return Array.from({ length: random(3) }, () => ({
    ...bare(),
    top: Array.from({ length: random(3) }, bare),
  }));
}

export function anyAnnotation(random: Random) {
  const startIndex = random(2 ** 31 - 1);
  return {
    type: 'url_citation',
    url: `https://example.com/${anyText(random)}`,
    title: orNull(random, anyText(random)),
    startIndex,
    endIndex: startIndex,
  } as const;
}

export function anyOutputText(random: Random): OutputTextPart {
  return {
    type: 'output_text',
    text: anyText(random),
    annotations: Array.from({ length: random(3) }, () => anyAnnotation(random)),
    logprobs: orNull(random, anyLogprobs(random)),
  };
}

const anyThought = (random: Random): ReasoningTextPart => ({ type: 'reasoning_text', text: anyText(random) });

export function anyOutputPart(random: Random): Exclude<ContentPart, InputPart> {
  const refusal = { type: 'refusal', refusal: anyText(random) } as const;
  return oneOf<Exclude<ContentPart, InputPart>>(random, [anyOutputText(random), refusal, anyThought(random)]);
}

function anyInputParts(random: Random): readonly InputPart[] {
  const text = { type: 'input_text', text: anyText(random) } as const;
  const detail = oneOf(random, ['auto', 'low', 'high', 'original']);
  const image = { type: 'input_image', imageUrl: `data:,${anyText(random)}`, detail } as const;
  const file = {
    type: 'input_file',
    filename: orNull(random, anyText(random)),
    fileData: orNull(random, 'data:,x'),
    fileUrl: null,
  } as const;
  return [text, image, file].filter(() => random(3) > 0);
}

function anyError(random: Random): ToolError | null {
  const type = oneOf(random, ['blocked', 'unknown_tool', 'http', 'credentials_lost', 'limit']);
  return orNull(random, { type, code: orNull(random, -32_600), message: anyText(random) });
}

const STATUSES = ['in_progress', 'searching', 'calling', 'completed', 'incomplete', 'failed'] as const;

/** An item of each type, in the order of the types. */
export function anyItems(random: Random): readonly Item[] {
  const base = () => ({ id: anyItemId(random), status: oneOf(random, STATUSES), round: null });
  const call = () => ({ callId: anyText(random), arguments: anyText(random) });
  const calledAs = 'alias';
  const tool = {
    name: anyText(random),
    description: orNull(random, anyText(random)),
    inputSchema: oneOf<unknown>(random, [{ type: anyText(random), [anyText(random)]: [1.5, null] }, true]),
    annotations: orNull(random, { readOnlyHint: true, note: anyText(random) }),
  };
  const server = { serverLabel: anyText(random), serverUrl: 'https://example.com/mcp' };
  return [
    {
      ...base(),
      type: 'message',
      role: oneOf(random, ['user', 'system', 'developer', 'assistant']),
      content: [...anyInputParts(random), anyOutputText(random)],
    },
    { ...base(), ...call(), type: 'function_call', name: anyText(random), error: anyError(random) },
    { ...base(), type: 'function_call_output', callId: anyText(random), content: anyInputParts(random) },
    {
      ...base(),
      type: 'reasoning',
      content: [anyThought(random)],
      summary: [anyText(random), anyText(random)],
      encryptedContent: orNull(random, anyText(random)),
    },
    {
      ...base(),
      ...call(),
      type: 'web_search_call',
      calledAs,
      query: orNull(random, anyText(random)),
      sources: [{ url: 'https://example.com', title: orNull(random, anyText(random)) }],
      firstNumber: 1,
      output: anyText(random),
      error: anyError(random),
    },
    { ...base(), ...server, type: 'mcp_list_tools', filter: null, tools: [tool], error: anyError(random) },
    {
      ...base(),
      ...call(),
      type: 'mcp_call',
      serverLabel: anyText(random),
      name: anyText(random),
      calledAs,
      started: true,
      content: anyInputParts(random),
      error: anyError(random),
      approvalRequestId: orNull(random, anyItemId(random)),
    },
    {
      ...base(),
      ...call(),
      ...server,
      type: 'mcp_approval_request',
      name: anyText(random),
      calledAs,
      error: anyError(random),
    },
    {
      ...base(),
      type: 'mcp_approval_response',
      approvalRequestId: anyItemId(random),
      approve: random(2) === 0,
      reason: orNull(random, anyText(random)),
    },
  ];
}
