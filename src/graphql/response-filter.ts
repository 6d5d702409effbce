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
  const { model, metadata, status } = rest;
  if (typeof model === 'string' && !isStorable(model, 256)) return null;
  if (!Object.entries(metadata ?? {}).every(isPair)) return null;
  const times = { createdAfter: createdAfter?.getTime(), createdBefore: createdBefore?.getTime() };
  return { ...rest, ...times, status: status && [...new Set(status)], previousResponseId: parent };
}

/** False for text that createResponse refuses and no column holds: NUL characters, lone surrogates, and too much. */
function isStorable(text: string, max: number): boolean {
  return text.length <= max && text.isWellFormed() && !text.includes('\0');
}

/** False for what no metadata holds. */
function isPair([key, value]: readonly [string, unknown]): boolean {
  return isStorable(key, 64) && typeof value === 'string' && isStorable(value, 512);
}
