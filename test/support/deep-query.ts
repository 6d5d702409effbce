import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { schema } from '../../src/graphql/schema.ts';

/**
 * A selection of everything in a type, and of everything in that. A type within itself is selected down to its
 * plain fields only.
 */
export function selectAll(type: GraphQLNamedType, path: readonly GraphQLNamedType[] = []): string {
  const again = path.includes(type);
  if (isAbstractType(type)) {
    const members = schema
      .getPossibleTypes(type)
      .map((member) => `... on ${member.name} ${selectAll(member, [...path, again ? member : type])}`);
    return `{ __typename ${members.join(' ')} }`;
  }
  if (!isObjectType(type)) throw new Error(`${type.name} has no fields`);
  const fields = Object.values(type.getFields()).flatMap(({ name, type: of, args }) => {
    const named = getNamedType(of);
    if (args.some(isRequiredArgument)) throw new Error(`${type.name}.${name} needs arguments`);
    if (isLeafType(named)) return [name];
    return again ? [] : [`${name} ${selectAll(named, [...path, type])}`];
  });
  return `{ __typename ${fields.join(' ')} }`;
}

/** `Type.field` for every field of an answer and, beside it, each enum value that stood there: `Enum.VALUE`. */
export function seenIn(value: unknown, seen: Set<string> = new Set()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const each of value) seenIn(each, seen);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return seen;
  const { __typename: typename, ...fields } = value as { readonly __typename?: string };
  const type = typename === undefined ? undefined : schema.getType(typename);
  for (const [name, each] of Object.entries(fields)) {
    if (isObjectType(type)) {
      seen.add(`${type.name}.${name}`);
      const leaf = fieldType(type, name);
      if (leaf !== undefined && typeof each === 'string') seen.add(`${leaf.name}.${each}`);
    }
    seenIn(each, seen);
  }
  return seen;
}

function fieldType(type: GraphQLObjectType, name: string): GraphQLNamedType | undefined {
  const field = type.getFields()[name];
  return field && getNamedType(field.type);
}
