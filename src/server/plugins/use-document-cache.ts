import type { DocumentNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';

/** What all documents that are kept may take together. In bytes, roughly. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What a token takes once it is parsed, roughly and with room for what is compiled of it. In bytes. */
const TOKEN_BYTES = 500;

/**
 * Equal texts are one document, parsed and validated once. A flood of different ones pushes out the oldest, however
 * long they are. What cannot be executed is not kept at all: an error holds fifty times what its document does.
 */
export function useDocumentCache(): Plugin {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ tokenCount = 0 }, text) => 1 + 2 * text.length + TOKEN_BYTES * tokenCount,
  });
  const textOf = new WeakMap<DocumentNode, string>();
  const valid = new WeakSet<DocumentNode>();
  return {
    onParse({ params, setParsedDocument }) {
      const text = String(params.source);
      const known = documents.get(text);
      if (known === undefined)
        return ({ result }) => {
          if (!(result instanceof Error)) textOf.set(result, text);
        };
      setParsedDocument(known);
      return undefined;
    },
    onValidate({ params: { documentAST }, setResult }) {
      if (valid.has(documentAST)) return setResult([]);
      return ({ result }) => {
        const text = textOf.get(documentAST);
        if (result.length > 0 || text === undefined) return;
        valid.add(documentAST);
        documents.set(text, documentAST);
      };
    },
  };
}
