import {
  type ASTVisitor,
  GraphQLError,
  getNamedType,
  isIntrospectionType,
  type ValidationContext,
  validate,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Envelop's own types do not know it. */
const HIDING = { hideSuggestions: true };

/** The schema is not told: neither by introspection nor by what messages would suggest instead of a wrong name. */
export function useHiddenSchema(): Plugin {
  return {
    onValidate({ addValidationRule, setValidationFn }) {
      addValidationRule(NoIntrospection);
      setValidationFn((schema, document, rules) => validate(schema, document, rules, HIDING));
    },
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args) => executeFn({ ...args, ...HIDING }));
    },
    onSubscribe({ subscribeFn, setSubscribeFn }) {
      setSubscribeFn((args) => subscribeFn({ ...args, ...HIDING }));
    },
  };
}

function NoIntrospection(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      const type = getNamedType(context.getType());
      if (!type || !isIntrospectionType(type)) return;
      const message = `The schema is not told here, and "${node.name.value}" asks for it.`;
      context.reportError(
        new GraphQLError(message, { nodes: node, extensions: { code: 'INTROSPECTION_DISABLED' } }),
      );
    },
  };
}
