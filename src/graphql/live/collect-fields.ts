import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  GraphQLSkipDirective,
  getDirectiveValues,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  type ValidatedExecutionArgs,
} from 'graphql';

/** Something in a document that is left to GraphQL's own executor. */
export class Unusual extends Error {}

/** The fields to read of one object, by the names that they have in the answer; fields of one name are merged. */
export type FieldGroups = ReadonlyMap<string, readonly FieldNode[]>;

/**
 * The fields that selection sets ask for of an object of one type: fragments resolved, `@skip` and `@include` applied.
 * https://spec.graphql.org/October2021/#CollectFields()
 *
 * @throws Unusual for directives of any other kind.
 */
export function collectFields(
  operation: ValidatedExecutionArgs,
  type: GraphQLObjectType,
  selectionSets: readonly SelectionSetNode[],
): FieldGroups {
  const groups = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (!isIncluded(operation, selection)) continue;
      switch (selection.kind) {
        case Kind.FIELD: {
          const name = selection.alias?.value ?? selection.name.value;
          const group = groups.get(name);
          if (group === undefined) groups.set(name, [selection]);
          else group.push(selection);
          break;
        }
        case Kind.INLINE_FRAGMENT: {
          const condition = selection.typeCondition?.name.value;
          if (condition === undefined || fits(operation, type, condition)) collect(selection.selectionSet);
          break;
        }
        case Kind.FRAGMENT_SPREAD: {
          const { value: name } = selection.name;
          const fragment = operation.fragmentDefinitions[name];
          if (visited.has(name) || fragment === undefined) break;
          visited.add(name);
          if (fits(operation, type, fragment.typeCondition.name.value)) collect(fragment.selectionSet);
          break;
        }
        default:
          selection satisfies never;
      }
    }
  };
  for (const selectionSet of selectionSets) collect(selectionSet);
  return groups;
}

const CONDITIONS: ReadonlySet<string> = new Set([GraphQLSkipDirective.name, GraphQLIncludeDirective.name]);

function isIncluded({ variableValues }: ValidatedExecutionArgs, node: SelectionNode): boolean {
  if (node.directives === undefined || node.directives.length === 0) return true;
  if (node.directives.some(({ name }) => !CONDITIONS.has(name.value))) throw new Unusual('A directive.');
  if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.['if'] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.['if'] !== false;
}

function fits({ schema }: ValidatedExecutionArgs, type: GraphQLObjectType, condition: string): boolean {
  const other = schema.getType(condition);
  return other === type || (isAbstractType(other) && schema.isSubType(other, type));
}
