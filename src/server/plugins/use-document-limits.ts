import { type DocumentNode, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { checkCost, checkDocument, type DocumentLimits } from '../limits/check-document.ts';
import { limitError } from '../limits/limit-error.ts';
import { isTooNested, MAX_NESTING } from '../limits/nesting.ts';

/** Yoga gives it over HTTP alone. */
function withCode(error: GraphQLError): GraphQLError {
  Object.assign(error.extensions, { code: 'GRAPHQL_PARSE_FAILED' });
  return error;
}

/** How GraphQL's parser says that it stopped at its limit. */
const TOO_MANY_TOKENS = /Document contains more than \d+ tokens/;

/**
 * Documents that ask for too much are refused before anything else is done with them: the rules of GraphQL take more
 * than linear time for some. Runs for every transport, as parsing and validating do.
 */
export function useDocumentLimits(limits: DocumentLimits): Plugin {
  const { maxTokens, maxCost } = limits;
  const dependent = new WeakSet<DocumentNode>();
  const tooLong = () =>
    limitError({ limit: 'MAX_TOKENS', what: 'tokens', allowed: maxTokens, counted: null });
  const tooNested = () =>
    limitError({ limit: 'MAX_DEPTH', what: 'levels of brackets', allowed: MAX_NESTING, counted: null });
  return {
    onParse({ parseFn, setParseFn }) {
      setParseFn((source, options) => {
        if (isTooNested(String(source))) throw tooNested();
        try {
          return parseFn(source, { ...options, maxTokens });
        } catch (error) {
          if (!(error instanceof GraphQLError)) throw error;
          if (TOO_MANY_TOKENS.test(error.message)) throw tooLong();
          throw withCode(error);
        }
      });
    },
    onValidate({ params: { schema, documentAST }, validateFn, setValidationFn, context }) {
      setValidationFn((_schema, document, ...rest) => {
        try {
          const { errors, dependsOnVariables } = checkDocument(document, schema, limits);
          if (dependsOnVariables) dependent.add(document);
          return errors.length > 0 ? errors : validateFn(schema, document, ...rest);
        } catch (error) {
          if (error instanceof RangeError) return [tooNested()]; // the stack is at its end
          throw error;
        }
      });
      return ({ valid, setResult }) => {
        if (!valid || !dependent.has(documentAST)) return;
        const error = checkCost(documentAST, schema, { maxCost, asked: context.params });
        if (error !== null) setResult([error]);
      };
    },
  };
}
