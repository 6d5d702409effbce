import { asResponseId } from '../protocol/ids.ts';
import type { ResponseFilter as Filter } from '../protocol/stored.ts';
import { builder } from './builder.ts';
import { ResponseStatus } from './enums.ts';

export const ResponseFilter = builder.inputType('ResponseFilter', {
  description: 'Which responses are asked for: those that fit all of what is given.',
  fields: (t) => ({
    status: t.field({ type: [ResponseStatus], description: 'In one of these states.' }),
    model: t.string({ description: 'Of this model.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Created later than this.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Created earlier than this.' }),
    metadata: t.field({ type: 'JSONObject', description: 'Whose metadata contains all of these pairs.' }),
    background: t.boolean({ description: 'true: only those in the background; false: only the others.' }),
    previousResponseId: t.id({ description: 'That continue this one.' }),
    isRoot: t.boolean({ description: 'true: only responses that continue none; false: only those that do.' }),
  }),
});

type FilterInput = typeof ResponseFilter.$inferInput;

/** The filter as the engine takes it; null if nothing can fit, because it asks for what is never stored. */
export function toFilter({
  createdAfter,
  createdBefore,
  previousResponseId,
  ...rest
}: FilterInput): Filter | null {
  const parent = typeof previousResponseId === 'string' ? asResponseId(previousResponseId) : null;
  if (typeof previousResponseId === 'string' && parent === null) return null;
  if (!isStorable(rest.model) || !isStorable(rest.metadata)) return null;
  const times = { createdAfter: createdAfter?.getTime(), createdBefore: createdBefore?.getTime() };
  return { ...rest, ...times, previousResponseId: parent };
}

/** False for text that createResponse refuses and no column holds: NUL characters and lone surrogates. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, each]) => isStorable(key) && isStorable(each));
}
