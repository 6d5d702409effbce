import type { Plugin } from 'graphql-yoga';
import { checkVariables } from '../limits/variables.ts';

/** Refuses variables that would take the server long, or that its own walks could not get to the end of. */
export function useBoundedInput(): Plugin {
  return {
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
