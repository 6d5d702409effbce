import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { checkNesting } from '../bounds/nesting.ts';
import { checkVariables } from '../bounds/variables.ts';

/** Documents and variables that would take the server long, or that its own walks could not get to the end of. */
export function useBoundedInput(): Plugin {
  return {
    onParse({ params, setParseFn }) {
      const message = typeof params.source === 'string' ? checkNesting(params.source) : null;
      if (message === null) return;
      setParseFn(() => {
        throw new GraphQLError(message, { extensions: { code: 'GRAPHQL_PARSE_FAILED' } });
      });
    },
    onExecute({ args, setResultAndStopExecution }) {
      const error = checkVariables(args);
      if (error !== null) setResultAndStopExecution({ errors: [error] });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const error = checkVariables(args);
      if (error !== null) setResultAndStopExecution({ errors: [error] });
    },
  };
}
