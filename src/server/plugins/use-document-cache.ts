import type { DocumentNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';

/** What all documents that are kept may take together. In bytes, roughly. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What a token takes once it is parsed, roughly and with room for what is compiled of it. In bytes. */
const TOKEN_BYTES = 500;

/**
 * Equal texts are one document, parsed and validated once. A flood of different ones pushes out the oldest, however
 * long they are; texts that cannot be parsed are not kept at all.
 */
export function useDocumentCache(): Plugin {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ tokenCount = 0 }, text) => 1 + 2 * text.length + TOKEN_BYTES * tokenCount,
  });
  const validated = new WeakMap<DocumentNode, readonly Error[]>();
  return {
    onParse({ params, setParsedDocument }) {
      const text = String(params.source);
      const known = documents.get(text);
      if (known === undefined)
        return ({ result }) => {
          if (!(result instanceof Error)) documents.set(text, result);
        };
      setParsedDocument(known);
      return undefined;
    },
    onValidate({ params: { documentAST }, setResult }) {
      const known = validated.get(documentAST);
      if (known === undefined) return ({ result }) => void validated.set(documentAST, result);
      setResult(known);
      return undefined;
    },
  };
}
