import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { z } from 'zod';
import { schema } from '../../graphql/schema.ts';
import { AppError, messageOf } from '../../util/errors.ts';
import { checkDocument, type DocumentLimits } from '../limits/check-document.ts';
import type { PersistedOperations } from './find-operation.ts';

const Manifest = z.union([
  z
    .object({
      format: z.literal('apollo-persisted-query-manifest'),
      version: z.literal(1),
      operations: z.array(z.object({ id: z.string().min(1), body: z.string() })),
    })
    .transform(({ operations }) => new Map(operations.map(({ id, body }) => [id, body]))),
  z.record(z.string().min(1), z.string()).transform((documents) => new Map(Object.entries(documents))),
]);

export const NO_OPERATIONS: PersistedOperations = { byId: new Map(), texts: new Set(), only: false };

export interface OperationsFile {
  readonly file: string;
  /** True: nothing else is executed. */
  readonly only: boolean;
}

/**
 * Reads the documents that are known beforehand, as relay-compiler (`{ "id": "document" }`) and Apollo's and
 * GraphQL Code Generator's manifests write them.
 *
 * @throws AppError START_FAILED, in one line, for a file that cannot be read and for the first of its documents that
 *   could not be executed.
 */
export async function readOperations(
  { file, only }: OperationsFile,
  limits: DocumentLimits,
): Promise<PersistedOperations> {
  const byId = Manifest.safeParse(await readJson(file));
  if (!byId.success) {
    const allowed = '{ "id": "document", … } or a manifest of Apollo, version 1';
    throw failure(file, `it must hold ${allowed}.`);
  }
  for (const [id, text] of byId.data) {
    const problem = problemOf(text, limits);
    if (problem !== null)
      throw failure(file, `operation ${JSON.stringify(id)} cannot be executed: ${problem}`);
  }
  return { byId: byId.data, texts: new Set(byId.data.values()), only };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw failure(file, messageOf(cause), { cause });
  }
}

function problemOf(text: string, limits: DocumentLimits): string | null {
  try {
    const document = parse(text, { maxTokens: limits.maxTokens });
    const { errors } = checkDocument(document, schema, limits);
    return (errors[0] ?? validate(schema, document)[0])?.message ?? null;
  } catch (error) {
    return messageOf(error);
  }
}

function failure(file: string, problem: string, options?: ErrorOptions): AppError {
  const line = `PERSISTED_OPERATIONS cannot be ${JSON.stringify(file)}: ${problem}`.replaceAll(/\s+/g, ' ');
  return new AppError('START_FAILED', line, options);
}
