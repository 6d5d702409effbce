import { readFileSync } from 'node:fs';
import {
  assertValidSchema,
  buildSchema,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  printSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../src/graphql/schema.ts';

const printed = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');

const ownTypes = (of = schema) =>
  Object.values(of.getTypeMap()).filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type));

test('schema.graphql says what the code says', () => {
  const same = printed === `${printSchema(schema)}\n`;
  expect(same, 'schema.graphql is out of date: run `npm run schema` and commit what it writes').toBe(true);
});

test('the schema is valid, as the code builds it and as it is printed', () => {
  expect(() => assertValidSchema(schema)).not.toThrow();
  expect(() => assertValidSchema(buildSchema(printed))).not.toThrow();
});

interface Described {
  readonly description?: string | null | undefined;
}

/** Everything in a type that a reader of the docs can click on: its path and its description. */
function partsOf(type: GraphQLNamedType): readonly (readonly [path: string, part: Described])[] {
  const parts: [string, Described][] = [[type.name, type]];
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      parts.push([`${type.name}.${field.name}`, field]);
      for (const arg of field.args) parts.push([`${type.name}.${field.name}(${arg.name}:)`, arg]);
    }
  }
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) parts.push([`${type.name}.${field.name}`, field]);
  }
  if (isEnumType(type)) {
    for (const value of type.getValues()) parts.push([`${type.name}.${value.name}`, value]);
  }
  return parts;
}

/** Paths of what has no description that is a sentence. */
function undescribed(types: readonly GraphQLNamedType[]): readonly string[] {
  const parts = types.flatMap(partsOf);
  return parts.filter(([, { description }]) => !/\S{2}.*\S/su.test(description ?? '')).map(([path]) => path);
}

describe('descriptions', () => {
  test('every type, field, argument, enum value and input field has one', () => {
    expect(undescribed(ownTypes())).toEqual([]);
  });

  test('every directive of our own and its arguments have one', () => {
    const own = schema.getDirectives().filter((directive) => !isSpecifiedDirective(directive));
    const parts = own.flatMap((directive) => [directive, ...directive.args]);
    expect(parts.filter(({ description }) => !description)).toEqual([]);
  });

  test('what has none is found, wherever it is', () => {
    const bare = buildSchema(`
      type Query { field("described" a: Int, b: Int): E }
      enum E { V }
      input I { f: Int }
      interface N { id: ID! }
      scalar S`);
    expect([...undescribed(ownTypes(bare))].sort()).toEqual(
      ['Query', 'Query.field', 'Query.field(b:)', 'E', 'E.V', 'I', 'I.f', 'N', 'N.id', 'S'].sort(),
    );
  });

  test('they end as sentences do', () => {
    const parts = ownTypes().flatMap(partsOf);
    expect(
      parts.filter(([, { description }]) => !/[.)]$/.test(description ?? '')).map(([path]) => path),
    ).toEqual([]);
  });
});

test('a field that types share has one type in all of them, so that one query can select them without aliases', () => {
  for (const abstract of ['Item', 'ContentPart', 'ResponseEvent', 'UserError']) {
    const type = schema.getType(abstract);
    if (!type || isObjectType(type) || !('resolveType' in type))
      throw new Error(`${abstract} is not abstract`);
    const seen = new Map<string, string>();
    for (const member of schema.getPossibleTypes(type)) {
      for (const field of Object.values(member.getFields())) {
        const known = seen.get(field.name) ?? String(field.type);
        expect(String(field.type), `${member.name}.${field.name}`).toBe(known);
        seen.set(field.name, known);
      }
    }
  }
});

test('every event type has a value in ResponseEventType, and every value an event type', () => {
  const event = schema.getType('ResponseEvent');
  const values = schema.getType('ResponseEventType');
  if (!isInterfaceType(event) || !isEnumType(values)) throw new Error('missing');
  const names = schema.getPossibleTypes(event).map(({ name }) =>
    name
      .replace(/Event$/, '')
      .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
      .toUpperCase(),
  );
  expect(
    values
      .getValues()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names.sort());
});
