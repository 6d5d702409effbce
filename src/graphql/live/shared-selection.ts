import {
  BREAK,
  type DocumentNode,
  type SelectionSetNode,
  type ValidatedSubscriptionArgs,
  visit,
} from 'graphql';
import type { ResponseEvent } from '../../protocol/events.ts';
import type { ResponseBase } from '../../protocol/response.ts';
import type { EventNode } from '../event-types.ts';
import { type CompiledSelection, compileSelection } from './compile-selection.ts';

/** JSON text as the bytes of its UTF-8, one character for each: what goes over the wire, whatever carries it. */
export type WireText = string;

/** What one document selects of events. Followers with the same document share it, and what it has made of a batch. */
export class SharedSelection {
  private readonly select: CompiledSelection;
  /** The hub gives one batch to all followers of a response, one after the other: the last one is enough to remember. */
  private lastBatch: readonly ResponseEvent[] = [];
  private lastTexts: readonly (WireText | null)[] = [];

  constructor(select: CompiledSelection) {
    this.select = select;
  }

  /** The result for each event of a batch; null where GraphQL's own executor has to make it. */
  textsOf(
    batch: readonly ResponseEvent[],
    base: ResponseBase,
    context: unknown,
  ): readonly (WireText | null)[] {
    if (batch === this.lastBatch) return this.lastTexts;
    const texts = batch.map((event) => {
      const json = this.select({ event, base } satisfies EventNode, context);
      return json === null ? null : toWireText(json);
    });
    this.lastBatch = batch;
    this.lastTexts = texts;
    return texts;
  }
}

export function toWireText(json: string): WireText {
  return Buffer.byteLength(json) === json.length ? json : Buffer.from(json).toString('latin1');
}

const shared = new WeakMap<DocumentNode, Map<string, SharedSelection | null>>();

/** The selection of a subscription; null if the document is not understood. The parser gives equal texts one document. */
export function selectionOf(operation: ValidatedSubscriptionArgs): SharedSelection | null {
  const { document } = operation;
  const name = operation.operation.name?.value ?? '';
  const known = shared.get(document)?.get(name);
  if (known !== undefined) return known;
  const select = compileSelection(operation);
  const selection = select && new SharedSelection(select);
  if (dependsOnVariables(operation)) return selection;
  const byName = shared.get(document) ?? new Map<string, SharedSelection | null>();
  shared.set(document, byName.set(name, selection));
  return selection;
}

/** True if what is selected of an event differs with the variables. The arguments of the stream itself do not count. */
function dependsOnVariables({ operation, fragmentDefinitions }: ValidatedSubscriptionArgs): boolean {
  const belowRoot = operation.selectionSet.selections.flatMap((root): readonly SelectionSetNode[] => {
    return root.kind === 'Field' && root.selectionSet ? [root.selectionSet] : [];
  });
  const isPlain = operation.selectionSet.selections.every(
    ({ kind, directives = [] }) => kind === 'Field' && directives.length === 0,
  );
  const fragments = Object.values(fragmentDefinitions).map(({ selectionSet }) => selectionSet);
  return !isPlain || [...belowRoot, ...fragments].some(hasVariable);
}

function hasVariable(selectionSet: SelectionSetNode): boolean {
  let found = false;
  visit(selectionSet, {
    Variable() {
      found = true;
      return BREAK;
    },
  });
  return found;
}
