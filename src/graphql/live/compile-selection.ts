import {
  type FieldNode,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  getArgumentValues,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
  type ValidatedExecutionArgs,
} from 'graphql';
import { collectFields, Unusual } from './collect-fields.ts';

/**
 * The result of an operation for one event, as JSON text; null if GraphQL's own executor has to make it: a field that
 * must be waited for, one that fails, or one that is null and may not be.
 */
export type CompiledSelection = (event: object, context: unknown) => string | null;

/** The JSON of one value. @throws Unusual when that is not for it to say, and what resolvers throw. */
type Writer = (value: unknown, context: unknown) => string;

/**
 * Compiles what a subscription selects of each event, once for all events. Arguments and directives are worked out
 * now, so the result is good for these variable values; what it gives is, byte for byte, what GraphQL's own executor
 * would give. Types are compiled when an event of theirs first comes. Our resolvers read no `info`: it is not given.
 *
 * @returns null for a document that it does not understand.
 */
export function compileSelection(operation: ValidatedExecutionArgs): CompiledSelection | null {
  const root = operation.schema.getSubscriptionType();
  if (root === undefined || root === null) return null;
  try {
    const groups = [...collectFields(operation, root, [operation.operation.selectionSet])];
    const [[name, nodes] = ['', []]] = groups;
    const fieldName = nodes[0]?.name.value ?? '';
    const field = root.getFields()[fieldName];
    if (groups.length !== 1 || field === undefined) return null;
    const read = compileField({ operation, parent: root, field, nodes });
    return (event, context) => {
      try {
        return `{"data":{${JSON.stringify(name)}:${read(event, context)}}}`;
      } catch {
        return null; // the executor meets it again, and says what and where
      }
    };
  } catch (error) {
    if (error instanceof Unusual) return null;
    throw error;
  }
}

interface FieldPlan {
  readonly operation: ValidatedExecutionArgs;
  readonly parent: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly nodes: readonly FieldNode[];
}

function compileField({ operation, field, nodes }: FieldPlan): Writer {
  const [node] = nodes;
  if (node === undefined) throw new Unusual('No field.');
  const resolve: GraphQLFieldResolver<unknown, unknown> = field.resolve ?? operation.fieldResolver;
  const isDefault = field.resolve === undefined;
  const args = getArgumentValues(field, node, operation.variableValues);
  const write = compileType(operation, field.type, nodes);
  return (source, context) => {
    const value = isDefault ? ownProperty(source, field.name) : resolve(source, args, context, NO_INFO);
    if (isThenable(value)) leave([value]);
    return write(value, context);
  };
}

/** A resolver that reads it throws, and is left to the executor. */
const NO_INFO = undefined as unknown as GraphQLResolveInfo;

function ignore(): void {}

function ownProperty(source: unknown, name: string): unknown {
  const value: unknown =
    typeof source === 'object' && source !== null ? Reflect.get(source, name) : undefined;
  if (typeof value === 'function') throw new Unusual('A method.');
  return value;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function compileType(
  operation: ValidatedExecutionArgs,
  type: GraphQLOutputType,
  nodes: readonly FieldNode[],
): Writer {
  if (isNonNullType(type)) {
    const write = compileNullable(operation, type.ofType, nodes);
    return (value, context) => {
      if (value === null || value === undefined) throw new Unusual('Null where none may be.');
      return write(value, context);
    };
  }
  const write = compileNullable(operation, type, nodes);
  return (value, context) => (value === null || value === undefined ? 'null' : write(value, context));
}

/** For values that are not null. */
function compileNullable(
  operation: ValidatedExecutionArgs,
  type: Exclude<GraphQLOutputType, { readonly kind: 'NonNull' }>,
  nodes: readonly FieldNode[],
): Writer {
  if (isNonNullType(type)) throw new Unusual('Non-null twice.');
  if (isListType(type)) {
    const write = compileType(operation, type.ofType, nodes);
    return (value, context) => {
      if (!Array.isArray(value)) throw new Unusual('An iterable that is no array.');
      return `[${value.map((each) => (isThenable(each) ? leave(value) : write(each, context))).join()}]`;
    };
  }
  if (isLeafType(type)) {
    return (value) => {
      const output = type.coerceOutputValue(value);
      if (Number.isInteger(output)) return `${output}`; // as JSON has it, and sooner
      const json = JSON.stringify(output ?? null);
      if (json === undefined || json === 'null') throw new Unusual('A value that no scalar is.');
      return json;
    };
  }
  const selectionSets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  return isObjectType(type)
    ? compileObject(operation, type, selectionSets)
    : compileAbstract(operation, type, selectionSets);
}

/** Something is to be waited for. The executor asks again, and meets what it may be rejected with. */
function leave(values: readonly unknown[]): never {
  for (const value of values) if (isThenable(value)) value.then(ignore, ignore);
  throw new Unusual('A value to wait for.');
}

function compileObject(
  operation: ValidatedExecutionArgs,
  type: GraphQLObjectType,
  selectionSets: readonly SelectionSetNode[],
): Writer {
  const fields = [...collectFields(operation, type, selectionSets)].map(([name, nodes], index) => {
    const prefix = `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`;
    const fieldName = nodes[0]?.name.value ?? '';
    if (fieldName === '__typename') {
      const json = `${prefix}${JSON.stringify(type.name)}`;
      return () => json;
    }
    const field = type.getFields()[fieldName];
    if (field === undefined) throw new Unusual('A field of another schema.');
    const read = compileField({ operation, parent: type, field, nodes });
    return (source: unknown, context: unknown) => prefix + read(source, context);
  });
  if (fields.length === 0) return () => '{}';
  const { isTypeOf } = type;
  return (value, context) => {
    const fits = isTypeOf ? isTypeOf(value, context, NO_INFO) : true;
    if (fits !== true) leave([fits]);
    let json = '';
    for (const field of fields) json += field(value, context);
    return `${json}}`;
  };
}

function compileAbstract(
  operation: ValidatedExecutionArgs,
  type: GraphQLAbstractType,
  selectionSets: readonly SelectionSetNode[],
): Writer {
  const compiled = new Map<string, Writer>();
  const compile = (name: string): Writer => {
    const actual = operation.schema.getType(name);
    if (!isObjectType(actual) || !operation.schema.isSubType(type, actual))
      throw new Unusual('No such type.');
    const write = compileObject(operation, actual, selectionSets);
    compiled.set(name, write);
    return write;
  };
  const { resolveType } = type;
  if (resolveType === undefined || resolveType === null) throw new Unusual('No way to tell the type.');
  return (value, context) => {
    const name = resolveType(value, context, NO_INFO, type);
    if (typeof name !== 'string') leave([name]);
    return (compiled.get(name) ?? compile(name))(value, context);
  };
}
