import { z } from 'zod';

const Schema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
  $ref: z.string().optional(),
});
type Schema = Partial<z.infer<typeof Schema>>;

/** Bounds the work for one schema, which a caller may have written to be endless. */
const MAX_VALUES = 200;
const MAX_DEPTH = 16;

/** Where in the schema we are: how deep, and inside which references. */
interface Place {
  readonly depth: number;
  readonly refs: readonly string[];
}

/**
 * A small value that fits a JSON schema: strings hold `text`, numbers are 0, booleans true, arrays empty, an enum
 * its first value, an object every property it names. What would never end (a reference to itself) is left out.
 */
export function sampleJson(root: unknown, text: string): unknown {
  let left = MAX_VALUES;

  function sample(raw: unknown, { depth, refs }: Place): unknown {
    if (left === 0 || depth > MAX_DEPTH) return undefined;
    left -= 1;
    const schema: Schema = Schema.safeParse(raw).data ?? {};
    if (schema.$ref !== undefined) {
      if (refs.includes(schema.$ref)) return undefined;
      return sample(resolve(root, schema.$ref), { depth: depth + 1, refs: [...refs, schema.$ref] });
    }
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return schema.enum[0];

    const inside = { depth: depth + 1, refs };
    const variants = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (variants !== undefined && schema.properties === undefined) {
      for (const variant of variants) {
        const value = sample(variant, inside);
        if (value !== undefined) return value;
      }
      return undefined;
    }
    switch (typeOf(schema)) {
      case 'object':
        return sampleObject(schema, inside);
      case 'array':
        return [];
      case 'number':
      case 'integer':
        return 0;
      case 'boolean':
        return true;
      case 'null':
        return null;
      default:
        return text;
    }
  }

  function sampleObject({ properties = {}, required = [] }: Schema, inside: Place): unknown {
    const names = new Set([...Object.keys(properties), ...required]);
    const entries = [...names].map((name) => [name, sample(properties[name], inside)] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  return sample(root, { depth: 0, refs: ['#'] }) ?? {};
}

function typeOf({ type, properties, required }: Schema): string | undefined {
  if (Array.isArray(type)) return type.find((name) => name !== 'null') ?? type[0];
  return type ?? (properties || required ? 'object' : undefined);
}

/** What a reference inside the same schema points to, e.g. `#/$defs/Address`. */
function resolve(root: unknown, reference: string): unknown {
  const steps = reference.split('/').slice(1);
  return steps.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    return Object.getOwnPropertyDescriptor(value, key)?.value;
  }, root);
}
