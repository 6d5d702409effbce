import {
  type GraphQLField,
  type GraphQLNamedType,
  getNamedType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { schema } from '../../src/graphql/schema.ts';

/**
 * Fragments that select everything in a type, and everything in that, so many steps deep: the last of them is named
 * `${typeName}${depth}`. Lists are asked for in every order and extent that there is, two entries of each.
 */
export function selectDeep(typeName: string, depth: number): string {
  const fragments = new Map<string, string>();
  const select = (type: GraphQLNamedType, left: number): string => {
    const name = `${type.name}${left}`;
    if (!fragments.has(name)) {
      fragments.set(name, ''); // for now: a type is found in itself only less deep
      fragments.set(name, `fragment ${name} on ${type.name} { ${membersOf(type, left).join(' ')} }`);
    }
    return `...${name}`;
  };
  const membersOf = (type: GraphQLNamedType, left: number): readonly string[] => {
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const own = fields.flatMap((field) => selectionsOf(field, left));
    if (!isInterfaceType(type) && !isUnionType(type)) return ['__typename', ...own];
    const members = schema.getPossibleTypes(type).map((member) => {
      const more = Object.values(member.getFields()).filter(({ name }) =>
        fields.every((field) => field.name !== name),
      );
      const selections = more.flatMap((field) => selectionsOf(field, left));
      return selections.length === 0 ? '' : `... on ${member.name} { ${selections.join(' ')} }`;
    });
    return ['__typename', ...own, ...members];
  };
  const selectionsOf = ({ name, type, args }: GraphQLField<unknown, unknown>, left: number) => {
    const named = getNamedType(type);
    if (!isLeafType(named) && left === 0) return [];
    const inside = isLeafType(named) ? '' : ` { __typename ${select(named, left - 1)} }`;
    return argumentsOf(args).map((given, index) => {
      const alias = index === 0 ? '' : `${name}${index}: `;
      return `${alias}${name}${given}${inside}`;
    });
  };
  const type = schema.getType(typeName);
  if (type === undefined) throw new Error(`There is no type ${typeName}.`);
  select(type, depth);
  return [...fragments.values()].join('\n');
}

/** Every way to choose the enums among some arguments; of a list, two entries. */
function argumentsOf(args: GraphQLField<unknown, unknown>['args']): readonly string[] {
  const size = args.some(({ name }) => name === 'first') ? ['first: 2'] : [];
  let ways: readonly (readonly string[])[] = [size];
  for (const { name, type } of args) {
    const named = getNamedType(type);
    if (!isEnumType(named)) continue;
    const values = named.getValues().map((value) => `${name}: ${value.name}`);
    ways = ways.flatMap((way) => values.map((value) => [...way, value]));
  }
  return ways.map((way) => (way.length === 0 ? '' : `(${way.join(', ')})`));
}
