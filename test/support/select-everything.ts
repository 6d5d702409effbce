import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isInputObjectType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';

/** The schema as it is printed and given to clients. */
export const printedSchema = buildSchema(readFileSync('schema.graphql', 'utf8'));

/** A selection, and the fields that are in it as `Type.field`. */
export interface Selected {
  readonly text: string;
  readonly fields: ReadonlySet<string>;
}

/** A place in a selection: a type, and what is selected there. */
interface Place {
  readonly type: GraphQLNamedType;
  /** What it is one of the possible types of. */
  readonly within: GraphQLAbstractType | undefined;
  readonly parts: (string | { readonly before: string; readonly place: Place })[];
}

/** Every field that a type leads to, each type's where it is met first; elsewhere only the leaves. */
export function selectEverything(typeName: string): Selected {
  const fields = new Set<string>();
  const seen = new Set<string>();
  const root = placeOf(typeNamed(typeName));
  const queue = [root];
  for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
    const { type, parts, within } = place;
    const below = (before: string, next: GraphQLNamedType, around?: GraphQLAbstractType) => {
      const found = placeOf(next, around);
      parts.push({ before, place: found });
      queue.push(found);
    };
    if (isAbstractType(type))
      for (const each of printedSchema.getPossibleTypes(type)) below(`... on ${each.name}`, each, type);
    if (!isObjectType(type)) continue;
    const isAgain = seen.has(type.name);
    seen.add(type.name);
    for (const field of fieldsOf(type)) {
      if (isAgain && !isLeaf(field)) continue;
      fields.add(`${type.name}.${field.name}`);
      const name = isAtOdds(field, within) ? `${type.name}_${field.name}: ${field.name}` : field.name;
      if (isLeaf(field)) parts.push(name);
      else below(name, getNamedType(field.type));
    }
  }
  return { text: written(root), fields };
}

function placeOf(type: GraphQLNamedType, within?: GraphQLAbstractType): Place {
  return { type, parts: ['__typename'], within };
}

/** True if another of the possible types has a field of this name and another type: they cannot share it. */
function isAtOdds(field: Field, within: GraphQLAbstractType | undefined): boolean {
  const others = within === undefined ? [] : printedSchema.getPossibleTypes(within).flatMap(fieldsOf);
  return others.some((other) => other.name === field.name && String(other.type) !== String(field.type));
}

function written({ parts }: Place): string {
  const texts = parts.map((part) =>
    typeof part === 'string' ? part : `${part.before} ${written(part.place)}`,
  );
  return `{ ${texts.join(' ')} }`;
}

/** The fields of all types that a type leads to, as `Type.field`; of interfaces those of what they stand for. */
export function fieldsBelow(typeName: string): ReadonlySet<string> {
  const types = [...reachableFrom(typeNamed(typeName)).values()].filter(isObjectType);
  return new Set(types.flatMap((each) => fieldsOf(each).map(({ name }) => `${each.name}.${name}`)));
}

function typeNamed(name: string): GraphQLNamedType {
  const type = printedSchema.getType(name);
  if (type === undefined) throw new Error(`There is no type ${name}.`);
  return type;
}

type Field = GraphQLField<unknown, unknown>;

function isLeaf(field: Field): boolean {
  return isLeafType(getNamedType(field.type));
}

/** Those that can be had without saying anything more. */
function fieldsOf(type: Pick<GraphQLObjectType, 'getFields'>): readonly Field[] {
  return Object.values(type.getFields()).filter(({ args }) => !args.some(isRequiredArgument));
}

function reachableFrom(type: GraphQLNamedType, found = new Map<string, GraphQLNamedType>()) {
  if (found.has(type.name)) return found;
  found.set(type.name, type);
  const next = isAbstractType(type)
    ? printedSchema.getPossibleTypes(type)
    : isObjectType(type)
      ? fieldsOf(type).map((field) => getNamedType(field.type))
      : [];
  for (const each of next) reachableFrom(each, found);
  return found;
}

/** Every argument and input field that takes an id or any other text, as `Type.field(argument)` or `Input.field`. */
export function placesOfText(): readonly string[] {
  const takesText = (type: GraphQLNamedType) =>
    isLeafType(type) && ['ID', 'String', 'JSON', 'JSONObject'].includes(type.name);
  return Object.values(printedSchema.getTypeMap()).flatMap((type) => {
    if (type.name.startsWith('__')) return [];
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) => takesText(getNamedType(field.type)));
      return fields.map(({ name }) => `${type.name}.${name}`);
    }
    if (!isObjectType(type)) return [];
    return Object.values(type.getFields()).flatMap((field) =>
      field.args
        .filter((argument) => takesText(getNamedType(argument.type)))
        .map(({ name }) => `${type.name}.${field.name}(${name})`),
    );
  });
}
