import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isObjectType,
} from 'graphql';
import { oneOf } from './sample-items.ts';

type Random = (limit: number) => number;

/** A document, and values for its variables. */
export interface RandomSubscription {
  readonly query: string;
  readonly variables: { readonly [name: string]: unknown };
}

/** Each with its type and, if it is given one, its value. */
const VARIABLES: { readonly [name: string]: readonly [type: string, value?: unknown] } = {
  yes: ['Boolean!', true],
  no: ['Boolean!', false],
  byDefault: ['Boolean! = true'],
  against: ['Boolean! = true', false],
  size: ['Int', 3],
  sizeByDefault: ['Int = 7'],
  nothing: ['Int'],
  order: ['SortOrder! = ASC', 'DESC'],
};

const CONDITIONS = [
  '@include(if: true)',
  '@include(if: false)',
  '@skip(if: true)',
  '@skip(if: false)',
  '@include(if: $yes)',
  '@include(if: $no)',
  '@skip(if: $byDefault)',
  '@skip(if: $against) @include(if: $yes)',
  '@include(if: $byDefault)',
  '@skip(if: $no)',
];

const SIZES = ['1', '100', 'null', '$size', '$sizeByDefault', '$nothing'] as const;

/** About so many selections are in a document. */
const MAX_SIZE = 25;

/** Fields that ask the database, if there is anything to ask for: these come less often. */
const RARE =
  /^Response\.(output|outputText|usage|pendingItems|continuations|inputItems|previousResponse)$|^(?!\w+Event\.)\w+\.(response|answer|approvalRequest)$/;

/** Where something is selected. `possible`: the types of object that can stand there. */
interface Place {
  readonly type: GraphQLNamedType;
  readonly possible: readonly GraphQLNamedType[];
  readonly depth: number;
}

/**
 * Subscribes to the events of a response with any selection that the schema allows: aliases, fields twice, fragments
 * in fragments, on interfaces and unions, directives with literals and variables, arguments. Most are valid: some
 * have two meanings for one name.
 */
export function randomSubscription(schema: GraphQLSchema, random: Random): RandomSubscription {
  const fragments: { readonly name: string; readonly on: string; readonly text: string }[] = [];
  const used = new Set<string>();
  const note = (text: string): string => {
    for (const [, name] of text.matchAll(/\$(\w+)/g)) if (name !== undefined) used.add(name);
    return text;
  };
  const condition = () => (random(5) === 0 ? ` ${note(oneOf(random, ['', ...CONDITIONS]))}` : '');

  let size = 0;
  const selectionSet = (place: Place): string => {
    const count = 1 + random(size < MAX_SIZE ? 5 : 1);
    size += count;
    const selections = Array.from({ length: count }, () => selection(place));
    return `{ ${selections.join(' ')} }`;
  };

  const selection = (place: Place): string => {
    const { type, depth } = place;
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const [plain = [], inner = []] = [true, false].map((isPlain) =>
      fields.filter(({ name, type: of }) => {
        return (
          isLeafType(getNamedType(of)) === isPlain &&
          (!RARE.test(`${type.name}.${name}`) || random(100) === 0)
        );
      }),
    );
    const [first, ...others] = depth > 0 && random(3) > 0 && inner.length > 0 ? inner : plain;
    const dice = random(10);
    if (first !== undefined && dice < (isAbstractType(type) ? 2 : 8)) {
      return fieldOf(oneOf(random, [first, ...others]), depth);
    }
    if (depth === 0 || random(6) === 0) return `${oneOf(random, ['', 'kind: '])}__typename${condition()}`;
    const inside = narrow(place);
    if (random(3) > 0) {
      const bare = inside.type === type && random(2) === 0;
      return `... ${bare ? '' : `on ${inside.type.name}`}${condition()} ${selectionSet(inside)}`;
    }
    const again = fragments.find(({ on }) => on === inside.type.name);
    if (again !== undefined) return `...${again.name}${condition()}`;
    const name = `F${fragments.length}`;
    const index = fragments.push({ name, on: '', text: '' }) - 1; // found by nobody until it is whole
    const text = `fragment ${name} on ${inside.type.name} ${selectionSet(inside)}`;
    fragments[index] = { name, on: inside.type.name, text };
    return `...${name}${condition()}`;
  };

  /** A condition that something in this place may fulfil: mostly a type of object, most often one that leads on. */
  const narrow = ({ type, possible, depth }: Place): Place => {
    const rich = possible.filter((each) => isObjectType(each) && hasInner(each));
    const [first = type, ...others] = random(2) === 0 && rich.length > 0 ? rich : possible;
    const member = oneOf(random, [first, ...others]);
    if (random(4) > 0 && isObjectType(member)) return { type: member, possible: [member], depth: depth - 1 };
    const wider = Object.values(schema.getTypeMap()).filter(
      (each) => isAbstractType(each) && isObjectType(member) && schema.isSubType(each, member),
    );
    const on = oneOf(random, [type, ...wider]);
    const left = possible.filter(
      (each) => each === on || (isAbstractType(on) && isObjectType(each) && schema.isSubType(on, each)),
    );
    return { type: on, possible: left, depth: depth - 1 };
  };

  const placeOf = (type: GraphQLNamedType, depth: number): Place => ({
    type,
    possible: isAbstractType(type) ? schema.getPossibleTypes(type) : [type],
    depth,
  });

  let aliases = 0;
  const fieldOf = ({ name, type, args }: GraphQLField<unknown, unknown>, depth: number): string => {
    const named = getNamedType(type);
    const given = argumentsOf(args.map((arg) => arg.name));
    const rare = isLeafType(named) && random(50) === 0 ? '__proto__' : `a${aliases++}`;
    const alias = given !== '' || random(4) === 0 ? `${rare}: ` : '';
    const inside = isLeafType(named) ? '' : ` ${selectionSet(placeOf(named, depth - 1))}`;
    return `${alias}${name}${given}${condition()}${inside}`;
  };

  const argumentsOf = (names: readonly string[]): string => {
    const given = names.flatMap((name) => {
      if (random(2) === 0) return [];
      if (name === 'first' || name === 'last') return [`${name}: ${note(oneOf(random, SIZES))}`];
      if (name === 'order') return [`order: ${note(oneOf(random, ['ASC', '$order']))}`];
      return [];
    });
    return given.length === 0 ? '' : `(${given.join(', ')})`;
  };

  const event = schema.getType('ResponseEvent');
  if (event === undefined) throw new Error('There are no events.');
  const root = Array.from(
    { length: 1 + random(2) },
    () => `stream: responseStream(id: $id) ${selectionSet(placeOf(event, 8))}`,
  );
  const declared = [...used].map((name) => `, $${name}: ${VARIABLES[name]?.[0]}`).join('');
  const texts = fragments.map(({ text }) => text);
  const values = [...used].flatMap((name) => {
    const [, ...value] = VARIABLES[name] ?? [''];
    return value.length === 0 ? [] : [[name, value[0]] as const];
  });
  return {
    query: [`subscription ($id: ID!${declared}) { ${root.join(' ')} }`, ...texts].join('\n'),
    variables: { id: 'resp_x', ...Object.fromEntries(values) },
  };
}

function hasInner(type: GraphQLObjectType): boolean {
  return Object.values(type.getFields()).some((field) => !isLeafType(getNamedType(field.type)));
}
