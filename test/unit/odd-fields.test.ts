import { setImmediate as turn } from 'node:timers/promises';
import {
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  parse,
  validateSubscriptionArgs,
} from 'graphql';
import { expect, test } from 'vitest';
import { compileSelection } from '../../src/graphql/live/compile-selection.ts';

type Fields = ConstructorParameters<typeof GraphQLObjectType>[0]['fields'];

const number = { type: new GraphQLNonNull(GraphQLInt) };
const numbers = { type: new GraphQLList(GraphQLInt) };

const fails = () => Promise.reject(new Error('not now'));

/** A union whose types say this of a value. */
function unionOf(resolveType: () => string | Promise<string>, isTypeOf: () => boolean | Promise<boolean>) {
  const One = new GraphQLObjectType({ name: 'One', fields: { number }, isTypeOf });
  return { type: new GraphQLUnionType({ name: 'Odd', types: [One], resolveType }), resolve: () => ({}) };
}

const CASES: { readonly [title: string]: Fields } = {
  'a resolver that throws': { odd: { type: GraphQLInt, resolve: () => JSON.parse('{') } },
  'an error given as a value': { odd: { type: GraphQLInt, resolve: () => new Error('returned') } },
  'null where none may be': { odd: { ...number, resolve: () => null } },
  'nothing where something must be': { odd: number },
  'a value that its scalar refuses': { odd: { ...number, resolve: () => 1.5 } },
  'not a number': { odd: { ...number, resolve: () => Number.NaN } },
  'a promise': { odd: { ...number, resolve: async () => 1 } },
  'a promise that is rejected': { odd: { ...number, resolve: fails } },
  'a property that is a promise': { promised: number },
  'promises in a list': { odd: { ...numbers, resolve: () => [1, fails(), fails()] } },
  'null in a list that has none': { odd: { type: new GraphQLList(number.type), resolve: () => [1, null] } },
  'a list that is none': { odd: { ...numbers, resolve: () => 1 } },
  'a set': { odd: { ...numbers, resolve: () => new Set([1]) } },
  'a method': { method: number },
  'a resolver that reads info': {
    odd: { type: GraphQLString, resolve: (_a, _b, _c, info) => info.fieldName },
  },
  'a type that there is not': {
    union: unionOf(
      () => 'Nobody',
      () => true,
    ),
  },
  'a type that is no object': {
    union: unionOf(
      () => 'Int',
      () => true,
    ),
  },
  'a type to wait for': {
    union: unionOf(
      async () => 'One',
      () => true,
    ),
  },
  'a type that is never told': { union: unionOf(fails, () => true) },
  'a value of another type': {
    union: unionOf(
      () => 'One',
      () => false,
    ),
  },
  'a value that may be of the type': { union: unionOf(() => 'One', fails) },
};

test.each(Object.entries(CASES))(
  '%s is left to the executor, and nothing goes unheard',
  async (_, fields) => {
    const Event = new GraphQLObjectType({ name: 'Event', fields });
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({ name: 'Query', fields: { number } }),
      subscription: new GraphQLObjectType({
        name: 'Subscription',
        fields: { event: { type: Event, resolve: (node: unknown) => node } },
      }),
    });
    const [name = ''] = Object.keys(Event.getFields());
    const inside = name === 'union' ? '{ ... on One { number } }' : '';
    const document = parse(`subscription { event { ${name} ${inside} } }`);
    const operation = validateSubscriptionArgs({ schema, document });
    if (!('schema' in operation)) throw new Error(operation.join());
    const unheard: unknown[] = [];
    const hear = (reason: unknown) => unheard.push(reason);
    process.prependListener('unhandledRejection', hear);
    const select = compileSelection(operation);
    expect(select?.(name === 'promised' ? { promised: fails() } : { method: () => 1 }, {})).toBeNull();
    await turn();
    process.off('unhandledRejection', hear);
    expect(unheard).toEqual([]);
  },
);
