import {
  type FieldNode,
  type GraphQLField,
  Kind,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';
import { DEFAULT_PAGE, MAX_PAGE } from '../../graphql/connection.ts';

/** The size that the value of an argument stands for; null if it has none, so that the default counts. */
export type SizeOf = (value: ValueNode) => number | null;

/** How many a field is asked for by `first`, `last` or a list of `ids`; null if it takes none of them. */
export function pageSizeOf(
  node: FieldNode,
  { args }: GraphQLField<unknown, unknown>,
  sizeOf: SizeOf,
): number | null {
  const given = (name: string) => {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    return value === undefined ? null : sizeOf(value);
  };
  if (args.some(({ name }) => name === 'ids')) return given('ids') ?? 1;
  if (!args.some(({ name }) => name === 'first')) return null;
  // What no page can hold is refused where it is read.
  return Math.max(1, Math.min(given('first') ?? given('last') ?? DEFAULT_PAGE, MAX_PAGE));
}

/** Sizes as far as the document alone tells them; what a variable will say counts as `unknown`. */
export function sizesOf(unknown: number): SizeOf {
  return (value) => {
    switch (value.kind) {
      case Kind.INT:
        return Number(value.value);
      case Kind.LIST:
        return value.values.length;
      case Kind.VARIABLE:
        return unknown;
      default:
        return null;
    }
  };
}

/** Sizes with the values of variables, as a caller sent them: what is of the wrong type is refused later. */
export function sizesWith(
  variables: { readonly [name: string]: unknown },
  { variableDefinitions = [] }: OperationDefinitionNode,
): SizeOf {
  const literal = sizesOf(1);
  return (value) => {
    if (value.kind !== Kind.VARIABLE) return literal(value);
    const name = value.name.value;
    const given = Object.hasOwn(variables, name) ? variables[name] : undefined; // one may be called `constructor`
    if (given === undefined) {
      const byDefault = variableDefinitions.find(
        ({ variable }) => variable.name.value === name,
      )?.defaultValue;
      return byDefault === undefined ? null : literal(byDefault);
    }
    if (Array.isArray(given)) return given.length;
    return typeof given === 'number' ? given : null;
  };
}
