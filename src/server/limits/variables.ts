import {
  type ExecutionArgs,
  GraphQLError,
  type GraphQLInputType,
  getNullableType,
  getOperationAST,
  isInputObjectType,
  isInputType,
  isListType,
  isScalarType,
  typeFromAST,
} from 'graphql';

/**
 * Input objects and entries of lists in the variables of one operation, and values within its JSON scalars. The
 * former take GraphQL some microseconds each, the latter everybody else less; nobody is served meanwhile.
 */
const MAX_VALUES = 50_000;
const MAX_JSON_VALUES = 200_000;

/** GraphQL quotes an object once for each field that it does not have. Up to this many characters it may. */
const MAX_QUOTED = 10_000;

/** As GraphQL's own refusals of variables. */
const REFUSED = { code: 'BAD_USER_INPUT', http: { status: 400 } };

/** Why the variables of an operation cannot even be read; null if they can, which does not say that they are right. */
export function checkVariables({
  schema,
  document,
  operationName,
  variableValues,
}: Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>): GraphQLError | null {
  const { variableDefinitions = [] } = getOperationAST(document, operationName) ?? {};
  const size: Size = { values: 0, jsonValues: 0, characters: 0, unknown: null };
  for (const definition of variableDefinitions) {
    const name = definition.variable.name.value;
    const type = typeFromAST(schema, definition.type);
    if (!isInputType(type) || !variableValues || !Object.hasOwn(variableValues, name)) continue;
    measure(variableValues[name], type, size);
    if (size.values > MAX_VALUES || size.jsonValues > MAX_JSON_VALUES) {
      const message = `Variable "$${name}" holds too much: at most ${MAX_VALUES} objects and entries of lists, and ${MAX_JSON_VALUES} values of JSON.`;
      return new GraphQLError(message, { nodes: definition, extensions: REFUSED });
    }
    if (size.unknown !== null && size.characters > MAX_QUOTED) {
      const message = `Variable "$${name}" holds a value with a field that is none: ${size.unknown}`;
      return new GraphQLError(message, { nodes: definition, extensions: REFUSED });
    }
  }
  return null;
}

interface Size {
  values: number;
  jsonValues: number;
  characters: number;
  /** The first field that its type does not have, in words. */
  unknown: string | null;
}

/** Goes no deeper than the types do, but for lists that are no lists: what is wrong with those GraphQL says itself. */
function measure(value: unknown, given: GraphQLInputType, size: Size): void {
  const type = getNullableType(given);
  if (size.values > MAX_VALUES || size.jsonValues > MAX_JSON_VALUES) return;
  if (typeof value === 'string') size.characters += value.length;
  if (typeof value !== 'object' || value === null) return;
  if (isListType(type)) {
    if (!Array.isArray(value)) return measure(value, type.ofType, size);
    size.values += value.length;
    for (const entry of value) measure(entry, type.ofType, size);
    return;
  }
  if (isScalarType(type)) return measureJson(value, size);
  if (!isInputObjectType(type) || Array.isArray(value)) return;
  const fields = type.getFields();
  size.values++;
  for (const [key, each] of Object.entries(value)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field !== undefined) {
      measure(each, field.type, size);
      continue;
    }
    size.values++;
    size.characters += key.length;
    size.unknown ??= `"${key.slice(0, 100)}" of ${type.name}.`;
  }
}

/** Without recursion: JSON may be nested any deep. */
function measureJson(json: object, size: Size): void {
  const rest: object[] = [json];
  for (let each = rest.pop(); each !== undefined; each = rest.pop()) {
    const values: readonly unknown[] = Array.isArray(each) ? each : Object.values(each);
    size.jsonValues += values.length;
    if (size.jsonValues > MAX_JSON_VALUES) return;
    for (const value of values) if (typeof value === 'object' && value !== null) rest.push(value);
  }
}
