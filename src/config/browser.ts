import { z } from 'zod';
import { AppError } from '../util/errors.ts';
import { boolean } from './kinds.ts';

const ORIGINS = 'origins separated by commas, each like https://app.example.com, without a path';
const origins = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((all) => all.every(isOrigin), ORIGINS);

/** The keys of what browsers and the curious may do. */
export const browserKeys = {
  CORS_ORIGINS: origins.default([]),
  GRAPHIQL: boolean.optional(),
  INTROSPECTION: boolean.optional(),
  GET_QUERIES: boolean.default(true),
  PERSISTED_OPERATIONS: z.string().optional(),
  PERSISTED_OPERATIONS_ONLY: boolean.default(false),
};

export interface FrontSettings {
  /** Whose pages may use this server, beside its own. */
  readonly origins: readonly string[];
  /** True: only names of this machine are answered, so that no page can come in under a name of its own. */
  readonly isLocal: boolean;
  readonly graphiql: boolean;
  /** False: neither the schema nor hints at it are shown. */
  readonly introspection: boolean;
  /** False: operations come by POST and WebSocket only. */
  readonly getQueries: boolean;
  /** Null: there are none. Else the file, and whether anything else is refused. */
  readonly persisted: { readonly file: string; readonly only: boolean } | null;
}

type Keys = z.output<z.ZodObject<typeof browserKeys>>;

/**
 * @param isLocal - true if only this machine is to connect: then what helps to look around is on by default.
 * @throws AppError START_FAILED if only stored operations may run and there are none.
 */
export function toFrontSettings(env: Keys, isLocal: boolean): FrontSettings {
  const { PERSISTED_OPERATIONS: file, PERSISTED_OPERATIONS_ONLY: only } = env;
  if (only && file === undefined) {
    const line = 'PERSISTED_OPERATIONS_ONLY=true needs PERSISTED_OPERATIONS: it is not set.';
    throw new AppError('START_FAILED', line);
  }
  return {
    origins: env.CORS_ORIGINS,
    isLocal,
    graphiql: (env.GRAPHIQL ?? isLocal) && !only,
    introspection: env.INTROSPECTION ?? isLocal,
    getQueries: env.GET_QUERIES,
    persisted: file === undefined ? null : { file, only },
  };
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}
