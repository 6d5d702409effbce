import { type DocumentNode, Kind, type SelectionSetNode } from 'graphql';
import { fragmentsOf } from './fragments.ts';

/** How many fields stand within each other, at most; fragments count where they are spread, each walked once. */
export function depthOf(document: DocumentNode): number {
  const fragments = fragmentsOf(document);
  const known = new Map<string, number>();
  const inFragment = (name: string): number => {
    const depth = known.get(name);
    if (depth !== undefined) return depth;
    known.set(name, 0); // a cycle, which validation refuses, ends here
    const found = fragments.get(name);
    const measured = found === undefined ? 0 : inSelection(found.selectionSet);
    known.set(name, measured);
    return measured;
  };
  const inSelection = ({ selections }: SelectionSetNode): number => {
    let deepest = 0;
    for (const selection of selections) {
      const { kind } = selection;
      const depth =
        kind === Kind.FRAGMENT_SPREAD
          ? inFragment(selection.name.value)
          : kind === Kind.INLINE_FRAGMENT
            ? inSelection(selection.selectionSet)
            : 1 + (selection.selectionSet === undefined ? 0 : inSelection(selection.selectionSet));
      if (depth > deepest) deepest = depth;
    }
    return deepest;
  };
  let deepest = 0;
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION)
      deepest = Math.max(deepest, inSelection(definition.selectionSet));
  return deepest;
}
