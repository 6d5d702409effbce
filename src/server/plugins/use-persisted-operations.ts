import type { Plugin } from 'graphql-yoga';
import { findOperation, type PersistedOperations } from '../persisted/find-operation.ts';

/** Documents that are known beforehand may be asked for by id over HTTP; WebSocket operations find theirs themselves. */
export function usePersistedOperations(operations: PersistedOperations): Plugin {
  return {
    onParams({ params, setParams, request }) {
      if (typeof params !== 'object' || params === null) return; // is refused later
      const query = findOperation({ ...idsInAddress(request), ...params }, operations);
      if (query === null) return;
      const { operationName, variables, extensions, ...rest } = params;
      const ids = Object.entries(rest).filter(([name]) => name !== 'documentId' && name !== 'doc_id');
      setParams({ ...Object.fromEntries(ids), query, operationName, variables, extensions });
    },
  };
}

/** Yoga reads only what it knows. */
function idsInAddress({ method, url }: Request): { readonly [name: string]: string } {
  const parameters = method === 'GET' ? URL.parse(url)?.searchParams : undefined;
  const ids = ['documentId', 'doc_id'].map((name) => [name, parameters?.get(name)] as const);
  return Object.fromEntries(ids.flatMap(([name, id]) => (id ? [[name, id]] : [])));
}
