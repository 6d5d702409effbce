import { type DirectiveNode, type DocumentNode, Kind, type SelectionSetNode, visit } from 'graphql';

/** How often something is written in a document, wherever it stands. */
export interface Counts {
  readonly operations: number;
  readonly aliases: number;
  readonly directives: number;
  /** How often one selection names the same field or fragment, or one place the same directive, at most. */
  readonly repeats: number;
}

export function countsOf(document: DocumentNode): Counts {
  let [operations, aliases, directives, repeats] = [0, 0, 0, 0];
  const noteRepeats = (names: Names) => {
    for (const times of names.values()) if (times > repeats) repeats = times;
  };
  visit(document, {
    enter(node) {
      if ('directives' in node && node.directives !== undefined) {
        directives += node.directives.length;
        noteRepeats(namesOfDirectives(node.directives));
      }
      if (node.kind === Kind.OPERATION_DEFINITION) operations++;
      if (node.kind === Kind.FIELD && node.alias !== undefined) aliases++;
      const isInline = node.kind === Kind.INLINE_FRAGMENT; // it is counted with the selection that it stands in
      if (!isInline && 'selectionSet' in node && node.selectionSet !== undefined)
        noteRepeats(namesIn(node.selectionSet, '', new Map()));
    },
  });
  return { operations, aliases, directives, repeats };
}

type Names = Map<string, number>;

/**
 * Inline fragments belong to the selection that they stand in, those of the same type together: a selection that
 * names a field once for each of many types repeats nothing.
 */
function namesIn({ selections }: SelectionSetNode, type: string, names: Names): Names {
  for (const selection of selections) {
    switch (selection.kind) {
      case Kind.FIELD:
        count(names, `${type}.${(selection.alias ?? selection.name).value}`);
        break;
      case Kind.FRAGMENT_SPREAD:
        count(names, `...${selection.name.value}`);
        break;
      case Kind.INLINE_FRAGMENT:
        namesIn(selection.selectionSet, selection.typeCondition?.name.value ?? type, names);
        break;
      default:
        selection satisfies never;
    }
  }
  return names;
}

function namesOfDirectives(directives: readonly DirectiveNode[]): Names {
  const names: Names = new Map();
  for (const { name } of directives) count(names, name.value);
  return names;
}

function count(names: Names, name: string): void {
  names.set(name, (names.get(name) ?? 0) + 1);
}
