import type { z } from 'zod';
import { count, milliseconds } from './kinds.ts';

/** The keys of what one document, one request and one socket may ask for. */
export const limitKeys = {
  MAX_TOKENS: count(1).default(5000),
  MAX_DEPTH: count(1).default(20),
  MAX_ALIASES: count(0).default(50),
  MAX_DIRECTIVES: count(0).default(50),
  MAX_REPEATS: count(1).default(8),
  MAX_OPERATIONS: count(1).default(10),
  MAX_COST: count(1).default(500_000),
  MAX_BODY_BYTES: count(1).default(25_000_000),
  MAX_MESSAGE_BYTES: count(1).default(25_000_000),
  REQUEST_TIMEOUT_MS: milliseconds(1000).default(60_000),
  INIT_TIMEOUT_MS: milliseconds(1).default(3000),
  MAX_SUBSCRIPTIONS_PER_CONNECTION: count(1).default(500),
  MAX_CONNECTIONS: count(1).default(10_000),
};

/** What one document, one request and one socket may ask for, over every transport alike. */
export interface Limits {
  readonly document: DocumentLimits;
  /** Of an HTTP request, in bytes. */
  readonly maxBodyBytes: number;
  /** Of a WebSocket message, in bytes. */
  readonly maxMessageBytes: number;
  /** A request that has not arrived whole in this time is given up. In milliseconds. */
  readonly requestTimeoutMs: number;
  /** A WebSocket that has not begun the protocol in this time is closed. In milliseconds. */
  readonly initTimeoutMs: number;
  /** Operations under way on one WebSocket. */
  readonly maxSubscriptions: number;
  /** WebSockets of this process. */
  readonly maxConnections: number;
}

export interface DocumentLimits {
  readonly maxTokens: number;
  /** How many fields may stand within each other. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxDirectives: number;
  /** How often one selection may name the same field, and one place the same directive. */
  readonly maxRepeats: number;
  readonly maxOperations: number;
  /** Fields of the answer, page sizes multiplied. */
  readonly maxCost: number;
}

type Keys = z.output<z.ZodObject<typeof limitKeys>>;

export function toLimits(env: Keys): Limits {
  return {
    document: {
      maxTokens: env.MAX_TOKENS,
      maxDepth: env.MAX_DEPTH,
      maxAliases: env.MAX_ALIASES,
      maxDirectives: env.MAX_DIRECTIVES,
      maxRepeats: env.MAX_REPEATS,
      maxOperations: env.MAX_OPERATIONS,
      maxCost: env.MAX_COST,
    },
    maxBodyBytes: env.MAX_BODY_BYTES,
    maxMessageBytes: env.MAX_MESSAGE_BYTES,
    requestTimeoutMs: env.REQUEST_TIMEOUT_MS,
    initTimeoutMs: env.INIT_TIMEOUT_MS,
    maxSubscriptions: env.MAX_SUBSCRIPTIONS_PER_CONNECTION,
    maxConnections: env.MAX_CONNECTIONS,
  };
}
