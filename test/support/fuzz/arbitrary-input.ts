import fc, { type Arbitrary } from 'fast-check';
import {
  type GraphQLInputObjectType,
  type GraphQLInputType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { schema } from '../../../src/graphql/schema.ts';

export type Fields = { readonly [name: string]: unknown };

/** Text as people and attackers write it: any code units, lone surrogates and NUL among them, and odd names. */
export const anyText = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('', '__proto__', 'constructor', 'toString', '\0', '\ud800', '😀', '\ufeffa'),
  },
  {
    weight: 1,
    arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 10 }).map((text) => text.repeat(500)) },
);

const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
const web = fc.webUrl({ withQueryParameters: true });
const data = fc.base64String({ maxLength: 200 }).map((body) => `data:image/png;base64,${body}`);
const jsonKeys = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', 'type'),
);
/** Numbers that JSON keeps; hostile values bring others. */
const kept = fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true });
const jsonLeaves = [anyText, fc.boolean(), fc.constant(null), kept, fc.maxSafeInteger()];

/** Objects as JSON gives them: own keys whatever their name, in any order. */
export const anyObject: Arbitrary<Fields> = fc
  .letrec<{ value: unknown; object: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      ...jsonLeaves,
      tie('object'),
      fc.array(tie('value'), { maxLength: 4 }),
    ),
    object: fc.array(fc.tuple(jsonKeys, tie('value')), { maxLength: 4 }).map(ownKeys),
  }))
  .object.map((object) => object as Fields);

/** As JSON.parse does, which sets no prototype. */
function ownKeys(entries: readonly (readonly [string, unknown])[]): unknown {
  const object: unknown = JSON.parse('{}');
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

/** Fields whose value has to be of some form to be taken. */
const LIKELY: { readonly [field: string]: Arbitrary<unknown> } = {
  'CreateResponseInput.model': word,
  'CreateResponseInput.temperature': fc.double({ min: 0, max: 2, noNaN: true }),
  'CreateResponseInput.topP': fc.double({ min: 0, max: 1, noNaN: true }),
  'CreateResponseInput.presencePenalty': fc.double({ min: -2, max: 2, noNaN: true }),
  'CreateResponseInput.frequencyPenalty': fc.double({ min: -2, max: 2, noNaN: true }),
  'CreateResponseInput.topLogprobs': fc.integer({ min: 0, max: 20 }),
  'CreateResponseInput.maxOutputTokens': fc.integer({ min: 16, max: 2 ** 31 - 1 }),
  'CreateResponseInput.maxToolCalls': fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  'CreateResponseInput.idempotencyKey': fc.uuid(),
  'CreateResponseInput.previousResponseId': fc.constant(null),
  'CreateResponseInput.toolChoice': fc.constantFrom({ mode: 'AUTO' }, { mode: 'NONE' }, null),
  'CreateResponseInput.metadata': fc.dictionary(word, fc.string({ unit: 'grapheme', maxLength: 40 }), {
    maxKeys: 16,
  }),
  'CreateResponseInput.stream': fc.constant(false),
  'CreateResponseInput.background': fc.constant(false),
  'CreateResponseInput.store': fc.constant(true),
  'InputItemInput.itemReference': fc.constant(`msg_${'0'.repeat(32)}`),
  'FunctionToolInput.name': fc.uuid(),
  'McpServerToolInput.serverLabel': fc.uuid(),
  'McpServerToolInput.serverUrl': fc.constantFrom('http://127.0.0.1:1/mcp', 'http://127.0.0.1:1/?a=b#c'),
  'McpServerToolInput.headers': fc.dictionary(word, word, { maxKeys: 3 }),
  'McpServerToolInput.authorization': word,
  'ImageInput.imageUrl': fc.oneof(web, data),
  'FileSourceInput.fileUrl': web,
  'FileSourceInput.fileData': data,
  'WebSearchSourceInput.url': web,
  'UserLocationInput.country': fc.constantFrom('DE', 'us'),
  'JsonSchemaFormatInput.name': word,
};

/** Items that need something stored before them, and parts that only some messages may hold. */
const UNLIKELY = /^(itemReference|mcpApprovalResponse|functionCallOutput|refusal|image|file)$/;

/** In each place; an input has dozens of them. */
const HOSTILE = 0.004;

const hostile = fc.oneof(
  anyText,
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    [],
    {},
    [[]],
    '[',
    { mode: 'AUTO' },
    Number.MAX_SAFE_INTEGER,
  ),
  anyObject,
  fc.constantFrom(20, 200, 2000).map((levels) => JSON.parse('{"a":['.repeat(levels) + ']}'.repeat(levels))),
);

/** An input of createResponse, from the schema: most are taken, others lie on or beyond the bounds, or are nonsense. */
export function arbitraryInput(): Arbitrary<Fields> {
  const type = schema.getType('CreateResponseInput');
  if (!isInputObjectType(type)) throw new Error('There is no such input.');
  return objectOf(type).map((input) => withOutputs(input as Fields));
}

function arbitraryOf(given: GraphQLInputType, place: string): Arbitrary<unknown> {
  const likely = LIKELY[place] ?? arbitraryOfType(given, place);
  return rarely(hostile, likely);
}

function rarely(odd: Arbitrary<unknown>, usual: Arbitrary<unknown>): Arbitrary<unknown> {
  return fc.oneof(
    { weight: HOSTILE * 1000, arbitrary: odd },
    { weight: 1000 - HOSTILE * 1000, arbitrary: usual },
  );
}

function arbitraryOfType(given: GraphQLInputType, place: string): Arbitrary<unknown> {
  const type = getNullableType(given);
  if (isListType(type))
    return fc.array(arbitraryOf(type.ofType, ''), {
      maxLength: 4,
      ...(/items|parts/.test(place) && { minLength: 1 }),
    });
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map(({ name }) => name));
  if (isInputObjectType(type)) return objectOf(type);
  switch (type.name) {
    case 'JSON':
    case 'JSONObject':
      return anyObject;
    case 'Boolean':
      return fc.boolean();
    case 'Int':
      return fc.integer();
    case 'Float':
      return fc.double({ noNaN: true });
    default:
      return anyText;
  }
}

function objectOf(type: GraphQLInputObjectType): Arbitrary<unknown> {
  const fields = Object.values(type.getFields());
  const arbitraries = fields.map(
    (field) => [field.name, arbitraryOf(field.type, `${type.name}.${field.name}`)] as const,
  );
  if (type.isOneOf) {
    return fc.oneof(
      ...arbitraries.map(([name, value]) => ({
        weight: UNLIKELY.test(name) ? 1 : 20,
        arbitrary: value.map((each) => ({ [name]: each })),
      })),
    );
  }
  const requiredKeys = fields.filter(({ type: each }) => isNonNullType(each)).map(({ name }) => name);
  return fc.record(Object.fromEntries(arbitraries), { requiredKeys });
}

/** Calls get their outputs, behind all else: a conversation needs them. */
function withOutputs(input: Fields): Fields {
  const { items } = (input['input'] ?? {}) as { readonly items?: unknown };
  if (!Array.isArray(items)) return input;
  const outputs = items.flatMap((item) => {
    const callId = item?.functionCall?.callId;
    return typeof callId === 'string' ? [{ functionCallOutput: { callId, output: { text: 'done' } } }] : [];
  });
  const others = items.filter((item) => item?.functionCallOutput === undefined);
  return { ...input, input: { items: [...others, ...outputs] } };
}
