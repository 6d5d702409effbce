import type { Plugin } from 'graphql-yoga';
import { type AskedDocument, findOperation, type PersistedOperations } from '../persisted/find-operation.ts';

/** Documents that are known beforehand may be asked for by id over HTTP; WebSocket operations find theirs themselves. */
export function usePersistedOperations(operations: PersistedOperations): Plugin {
  return {
    onParams({ params, setParams, request }) {
      if (typeof params !== 'object' || params === null) return; // is refused later
      const { documentId, doc_id, ...rest } = { ...idsInAddress(request), ...params };
      const query = findOperation({ ...rest, documentId, doc_id }, operations);
      if (query !== null) setParams({ ...rest, query });
    },
  };
}

/** Yoga reads only what it knows. */
function idsInAddress({ method, url }: Request): Pick<AskedDocument, 'documentId' | 'doc_id'> {
  const parameters = method === 'GET' ? URL.parse(url)?.searchParams : undefined;
  return { documentId: parameters?.get('documentId'), doc_id: parameters?.get('doc_id') };
}
