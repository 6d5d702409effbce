import {
  type GraphQLInputField,
  type GraphQLInputType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';

/** A value that is too much in one place, and may be wrong in others. */
export interface Probe {
  /** Where it is too much: names and indexes, from the outside in. */
  readonly path: readonly string[];
  /** What there is too much of. */
  readonly kind: 'characters' | 'entries' | 'JSON' | 'levels' | 'digits';
  readonly value: unknown;
}

const LONG = 'x'.repeat(21_000_000);
const MANY = 20_001;

/** For every text, list and JSON in a value of this type one in which that is far too large. */
export function* tooMuch(given: GraphQLInputType, path: readonly string[] = []): Generator<Probe> {
  const type = getNullableType(given);
  if (isListType(type)) {
    yield { path, kind: 'entries', value: new Array(MANY).fill(sampleOf(type.ofType)) };
    for (const probe of tooMuch(type.ofType, [...path, '0'])) yield { ...probe, value: [probe.value] };
  } else if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      const others = type.isOneOf ? {} : required(type.getFields());
      for (const probe of tooMuch(field.type, [...path, field.name]))
        yield { ...probe, value: { ...others, [field.name]: probe.value } };
    }
  } else if ('name' in type && ['String', 'ID'].includes(type.name)) {
    yield { path, kind: 'characters', value: LONG };
  } else if ('name' in type && ['JSON', 'JSONObject'].includes(type.name)) {
    yield { path, kind: 'JSON', value: { a: LONG } };
    yield { path, kind: 'levels', value: { a: JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)) } };
    for (const digits of [2 ** 53, -(2 ** 53), Number.POSITIVE_INFINITY, -0])
      yield { path, kind: 'digits', value: { a: [{ b: digits }] } };
  }
}

function required(fields: { readonly [name: string]: GraphQLInputField }): {
  readonly [name: string]: unknown;
} {
  return Object.fromEntries(
    Object.values(fields)
      .filter(
        ({ type, defaultValue, default: otherwise }) => isNonNullType(type) && !defaultValue && !otherwise,
      )
      .map(({ name, type }) => [name, sampleOf(type)]),
  );
}

/** Some value of a type, the smallest there is. */
export function sampleOf(given: GraphQLInputType): unknown {
  const type = getNullableType(given);
  if (isListType(type)) return [];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const [first] = Object.values(type.getFields());
    return type.isOneOf && first ? { [first.name]: sampleOf(first.type) } : required(type.getFields());
  }
  switch (type.name) {
    case 'JSON':
    case 'JSONObject':
      return {};
    case 'Boolean':
      return true;
    case 'Int':
    case 'Float':
      return 1;
    case 'DateTime':
      return '2026-01-01T00:00:00Z';
    default:
      return 'x';
  }
}
