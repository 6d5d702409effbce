import { GraphQLError } from 'graphql';

/** What was asked for, and how much of it there may be. */
export interface Excess {
  /** The key of the configuration that sets the limit. */
  readonly limit: string;
  /** What is counted, for people: "aliases". */
  readonly what: string;
  readonly allowed: number;
  /** Null: counting stopped at the limit. */
  readonly counted: number | null;
}

/** A document that asks for too much: OPERATION_LIMIT_EXCEEDED over every transport, with the limit's name. */
export function limitError({ limit, what, allowed, counted }: Excess): GraphQLError {
  const isNumber = Number.isSafeInteger(counted); // fragments within fragments make more than that
  const found = isNumber ? counted : 'more';
  return new GraphQLError(`Too many ${what}: ${found}, where ${allowed} are allowed (${limit}).`, {
    extensions: {
      code: 'OPERATION_LIMIT_EXCEEDED',
      limit,
      allowed,
      ...(isNumber && { counted }),
      http: { spec: true, status: 400 },
    },
  });
}
