import { type DocumentNode, Kind, type SelectionSetNode, visit } from 'graphql';

/** How often something is written in a document, wherever it stands. */
export interface Counts {
  readonly operations: number;
  readonly aliases: number;
  readonly directives: number;
  /** How often one selection names the same field, or spreads the same fragment, at most. */
  readonly repeats: number;
}

export function countsOf(document: DocumentNode): Counts {
  let [operations, aliases, directives, repeats] = [0, 0, 0, 0];
  const counted = (set: SelectionSetNode) => {
    const names = new Map<string, number>();
    countNames(set, '', names);
    for (const count of names.values()) if (count > repeats) repeats = count;
  };
  visit(document, {
    OperationDefinition({ selectionSet }) {
      operations++;
      counted(selectionSet);
    },
    FragmentDefinition: ({ selectionSet }) => counted(selectionSet),
    Field({ alias, selectionSet }) {
      if (alias !== undefined) aliases++;
      if (selectionSet !== undefined) counted(selectionSet);
    },
    Directive() {
      directives++;
    },
  });
  return { operations, aliases, directives, repeats };
}

/**
 * Inline fragments belong to the selection that they stand in, those of the same type together: a selection that
 * names a field once for each of many types repeats nothing.
 */
function countNames({ selections }: SelectionSetNode, type: string, names: Map<string, number>): void {
  const count = (name: string) => names.set(name, (names.get(name) ?? 0) + 1);
  for (const selection of selections) {
    switch (selection.kind) {
      case Kind.FIELD:
        count(`${type}.${(selection.alias ?? selection.name).value}`);
        break;
      case Kind.FRAGMENT_SPREAD:
        count(`...${selection.name.value}`);
        break;
      case Kind.INLINE_FRAGMENT:
        countNames(selection.selectionSet, selection.typeCondition?.name.value ?? type, names);
        break;
      default:
        selection satisfies never;
    }
  }
}
