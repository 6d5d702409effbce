import { type DocumentNode, type GraphQLError, type GraphQLSchema, Kind } from 'graphql';
import { costOf } from './cost.ts';
import { countsOf } from './counts.ts';
import { depthOf } from './depth.ts';
import { fragmentsOf } from './fragments.ts';
import { limitError } from './limit-error.ts';
import { type SizeOf, sizesOf, sizesWith } from './page-size.ts';

/** What one document may ask for. */
export interface DocumentLimits {
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxDirectives: number;
  readonly maxRepeats: number;
  readonly maxOperations: number;
  readonly maxCost: number;
}

export interface DocumentCheck {
  readonly errors: readonly GraphQLError[];
  /** True: how much the document costs, its variables decide. */
  readonly dependsOnVariables: boolean;
}

/** What of a document is over its limits, whatever its variables are. Takes time in proportion to its length. */
export function checkDocument(
  document: DocumentNode,
  schema: GraphQLSchema,
  limits: DocumentLimits,
): DocumentCheck {
  const { operations, aliases, directives, repeats } = countsOf(document);
  const most = (unknown: number) => mostOf(document, schema, () => sizesOf(unknown));
  const excesses = [
    { limit: 'MAX_OPERATIONS', what: 'operations', allowed: limits.maxOperations, counted: operations },
    { limit: 'MAX_ALIASES', what: 'aliases', allowed: limits.maxAliases, counted: aliases },
    { limit: 'MAX_DIRECTIVES', what: 'directives', allowed: limits.maxDirectives, counted: directives },
    { limit: 'MAX_REPEATS', what: 'times the same field', allowed: limits.maxRepeats, counted: repeats },
    { limit: 'MAX_DEPTH', what: 'levels of fields', allowed: limits.maxDepth, counted: depthOf(document) },
    { ...COST, allowed: limits.maxCost, counted: most(1) },
  ].filter(({ allowed, counted }) => counted > allowed);
  return {
    errors: excesses.map(limitError),
    dependsOnVariables: most(Number.POSITIVE_INFINITY) > limits.maxCost,
  };
}

const COST = { limit: 'MAX_COST', what: 'fields in the answer' };

/** The operation that a caller asks for, with the values of its variables. */
export interface Asked {
  readonly operationName?: string | null | undefined;
  readonly variables?: { readonly [name: string]: unknown } | null | undefined;
}

/** What an operation costs too much with these variables; null if it does not. */
export function checkCost(
  document: DocumentNode,
  schema: GraphQLSchema,
  { maxCost, asked }: { readonly maxCost: number; readonly asked: Asked },
): GraphQLError | null {
  const counted = mostOf(document, schema, (operation) => {
    const isAsked = !asked.operationName || operation.name?.value === asked.operationName;
    return isAsked ? sizesWith(asked.variables ?? {}, operation) : null;
  });
  return counted > maxCost ? limitError({ ...COST, allowed: maxCost, counted }) : null;
}

type Operation = Parameters<typeof costOf>[0];

/** The cost of the dearest operation among those that sizes are given for. */
function mostOf(
  document: DocumentNode,
  schema: GraphQLSchema,
  sizesFor: (operation: Operation) => SizeOf | null,
): number {
  const fragments = fragmentsOf(document);
  const costs = document.definitions.map((definition) => {
    const sizeOf = definition.kind === Kind.OPERATION_DEFINITION ? sizesFor(definition) : null;
    return definition.kind === Kind.OPERATION_DEFINITION && sizeOf !== null
      ? costOf(definition, { schema, fragments, sizeOf })
      : 0;
  });
  return Math.max(0, ...costs);
}
