import { GraphQLError } from 'graphql';

/** Documents that are known before anyone asks for them. */
export interface PersistedOperations {
  readonly byId: ReadonlyMap<string, string>;
  readonly texts: ReadonlySet<string>;
  /** True: nothing else is executed. */
  readonly only: boolean;
}

/** What a caller sends, over any transport, as far as it says which document to execute. */
export interface AskedDocument {
  readonly query?: unknown;
  /** https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md */
  readonly documentId?: unknown;
  /** As Relay's guides send it. */
  readonly doc_id?: unknown;
  readonly extensions?: unknown;
}

/**
 * The document that is asked for: by its id, or as text. With an id the text does not count. The text of a known one is
 * as good as its id.
 *
 * @returns null if there is neither an id nor a text, which is for the transport to refuse.
 * @throws GraphQLError PERSISTED_OPERATION_NOT_FOUND for an unknown id, unless a text is there that may be executed;
 *   PERSISTED_OPERATION_REQUIRED for a text that may not.
 */
export function findOperation(
  asked: AskedDocument,
  { byId, texts, only }: PersistedOperations,
): string | null {
  const id = idOf(asked);
  const known = id === null ? undefined : (byId.get(id) ?? byId.get(id.replace(/^sha256:/, '')));
  if (known !== undefined) return known;
  const text = typeof asked.query === 'string' && asked.query !== '' ? asked.query : null;
  if (id !== null && (text === null || only)) {
    const message = `No operation is stored here as ${JSON.stringify(id.slice(0, 100))}.`;
    throw refusal(message, 'PERSISTED_OPERATION_NOT_FOUND');
  }
  if (!only || (text !== null && texts.has(text))) return text;
  throw refusal(
    'Only stored operations are executed here: send the id of one.',
    'PERSISTED_OPERATION_REQUIRED',
  );
}

function refusal(message: string, code: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { spec: true, status: 400 } } });
}

function idOf({ documentId, doc_id, extensions }: AskedDocument): string | null {
  const ids = [documentId, doc_id, member(member(extensions, 'persistedQuery'), 'sha256Hash')];
  return ids.find((id): id is string => typeof id === 'string' && id !== '') ?? null;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
