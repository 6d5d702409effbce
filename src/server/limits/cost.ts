import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Fragments } from './fragments.ts';
import { pageSizeOf, type SizeOf } from './page-size.ts';

/** A list that has no page size counts as so many. */
const LIST_SIZE = 4;

export interface Costing {
  readonly schema: GraphQLSchema;
  readonly fragments: Fragments;
  /** The size that an argument names. */
  readonly sizeOf: SizeOf;
}

/**
 * How many fields the answer may have: pages count as long as they are asked for, other lists as four. Of the types
 * that an object can have, the dearest counts. Each fragment is walked once for a page size, however often it is spread.
 */
export function costOf(operation: OperationDefinitionNode, costing: Costing): number {
  const root = costing.schema.getRootType(operation.operation);
  return root ? new Walk(costing).selection(operation.selectionSet, { type: root, page: null }) : 0;
}

/** Where a selection stands: in this type, and within a page of that many if it is a connection's. */
interface Place {
  readonly type: GraphQLCompositeType;
  readonly page: number | null;
}

class Walk {
  private readonly known = new Map<string, number>();
  private readonly costing: Costing;

  constructor(costing: Costing) {
    this.costing = costing;
  }

  selection({ selections }: SelectionSetNode, place: Place): number {
    const { type, page } = place;
    let always = 0;
    const byType = new Map<string, number>();
    const add = (condition: GraphQLCompositeType, cost: number) => {
      if (isObjectType(condition) && isAbstractType(type))
        byType.set(condition.name, (byType.get(condition.name) ?? 0) + cost);
      else always += cost;
    };
    for (const selection of selections) {
      switch (selection.kind) {
        case Kind.FIELD:
          always += this.field(selection, place);
          break;
        case Kind.FRAGMENT_SPREAD:
          add(this.condition(selection.name.value) ?? type, this.fragment(selection.name.value, place));
          break;
        case Kind.INLINE_FRAGMENT: {
          const condition = this.type(selection.typeCondition?.name.value) ?? type;
          add(condition, this.selection(selection.selectionSet, { type: condition, page }));
          break;
        }
        default:
          selection satisfies never;
      }
    }
    return always + Math.max(0, ...byType.values());
  }

  private field(node: FieldNode, { type, page }: Place): number {
    const field = this.costing.schema.getField(type, node.name.value);
    if (field === undefined || node.selectionSet === undefined) return 1;
    const inner = getNamedType(field.type);
    if (!isCompositeType(inner)) return 1; // validation refuses it
    const size = pageSizeOf(node, field, this.costing.sizeOf);
    const isList = isListType(getNullableType(field.type));
    const within = this.selection(node.selectionSet, { type: inner, page: isList ? null : size });
    return 1 + within * (isList ? (size ?? page ?? this.listSize(field)) : 1);
  }

  private listSize({ type }: GraphQLField<unknown, unknown>): number {
    const isEveryType = String(type) === '[__Type!]!'; // __schema { types }
    return isEveryType ? Object.keys(this.costing.schema.getTypeMap()).length : LIST_SIZE;
  }

  private fragment(name: string, { type, page }: Place): number {
    const key = `${page} ${name}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.known.set(key, 0); // a cycle, which validation refuses, ends here
    const fragment = this.costing.fragments.get(name);
    const cost =
      fragment === undefined
        ? 0
        : this.selection(fragment.selectionSet, { type: this.condition(name) ?? type, page });
    this.known.set(key, cost);
    return cost;
  }

  private condition(name: string): GraphQLCompositeType | null {
    return this.type(this.costing.fragments.get(name)?.typeCondition.name.value);
  }

  private type(name: string | undefined): GraphQLCompositeType | null {
    const type = name === undefined ? undefined : this.costing.schema.getType(name);
    return isCompositeType(type) ? type : null;
  }
}
