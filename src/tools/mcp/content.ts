import { z } from 'zod';
import type { InputImagePart, InputPart } from '../../protocol/content.ts';
import { ToolFailure } from '../tool-failure.ts';
import { cut } from './errors.ts';

const MAX_BLOCKS = 1000;
const MAX_ERROR = 10_000;
const MAX_FACT = 1000;

/** What of a result every server can be relied on for. */
const CallResult = z.object({
  content: z.array(z.unknown()).catch([]),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
});

export type CallResult = z.output<typeof CallResult>;

/**
 * The schema of a result, to which `clean` is applied. Whoever parses with it gets a ToolFailure `protocol` thrown for
 * a content of more parts than anybody could use: looking at each of them stops everybody else.
 */
export function callResult(clean: (result: unknown) => unknown) {
  return z
    .unknown()
    .transform((result) => {
      const { data } = Parts.safeParse(result);
      if (data !== undefined && data.content.length > MAX_BLOCKS) {
        throw new ToolFailure('protocol', `The result of the tool has more than ${MAX_BLOCKS} parts.`);
      }
      return clean(result);
    })
    .pipe(CallResult);
}

const Parts = z.object({ content: z.custom<readonly unknown[]>(Array.isArray) });

/**
 * What a tool gave: one part with all text, then the images. What no model can be shown is named in the text, in
 * its place. Structured content is used if there is no text. Empty if there is nothing at all.
 *
 * @throws ToolFailure `execution` with the text, if the result says that it is an error
 */
export function toInputParts({ content, structuredContent, isError }: CallResult): readonly InputPart[] {
  const blocks = content.map(readBlock);
  const words = blocks.flatMap((block) => ('line' in block && block.line !== '' ? block : []));
  const lines = words.map(({ line }) => line);
  if (words.every(({ isNote }) => isNote) && structuredContent !== undefined && structuredContent !== null) {
    lines.push(JSON.stringify(structuredContent));
  }
  const text = lines.join('\n');
  if (isError === true)
    throw new ToolFailure('execution', cut(text.trim(), MAX_ERROR) || 'The tool failed and did not say why.');
  const images = blocks.flatMap((block) => ('image' in block ? block.image : []));
  return [...(text === '' ? [] : [{ type: 'input_text', text } as const]), ...images];
}

type ReadBlock = { readonly line: string; readonly isNote: boolean } | { readonly image: InputImagePart };

const Base64 = z.string().transform((data) => data.replace(/\s+/g, ''));
const Other = z.union([
  z
    .object({ type: z.string(), mimeType: z.string().catch(''), data: Base64 })
    .transform(({ type, mimeType, data }) =>
      note(mimeType || type, `${Buffer.byteLength(data, 'base64')} bytes`),
    ),
  z.object({ type: z.string() }).transform(({ type }) => note(`unknown content: ${type}`)),
]);
const Text = z
  .object({ text: z.string() })
  .transform(({ text }): ReadBlock => ({ line: text, isNote: false }));
const Image = z
  .object({
    mimeType: z.string().regex(/^image\/[\w.+-]+$/),
    data: Base64.pipe(z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/)),
  })
  .transform(({ mimeType, data }): ReadBlock => ({ image: toImage(mimeType, data) }));
const Resource = z
  .object({
    resource: z.object({
      uri: z.string().catch(''),
      mimeType: z.string().catch(''),
      text: z.string().nullable().catch(null),
      blob: Base64.catch(''),
    }),
  })
  .transform(({ resource: { uri, mimeType, text, blob } }) => {
    const bytes = text === null ? Buffer.byteLength(blob, 'base64') : Buffer.byteLength(text);
    return note(mimeType || 'resource', `${bytes} bytes`, uri);
  });
const ResourceLink = z
  .object({ uri: z.string(), name: z.string().catch(''), mimeType: z.string().catch('') })
  .transform(({ uri, name, mimeType }) => note(name, mimeType, uri));

const Typed = z.object({ type: z.unknown() });

function readBlock(block: unknown): ReadBlock {
  const known = schemaFor(Typed.safeParse(block).data?.type)?.safeParse(block);
  return known?.data ?? Other.safeParse(block).data ?? note('unknown content');
}

function schemaFor(type: unknown): z.ZodType<ReadBlock> | null {
  switch (type) {
    case 'text':
      return Text;
    case 'image':
      return Image;
    case 'resource':
      return Resource;
    case 'resource_link':
      return ResourceLink;
    default:
      return null;
  }
}

function toImage(mimeType: string, data: string): InputImagePart {
  return { type: 'input_image', imageUrl: `data:${mimeType};base64,${data}`, detail: 'auto' };
}

function note(...facts: readonly string[]): ReadBlock {
  const known = facts.filter((fact) => fact !== '').map((fact) => cut(fact, MAX_FACT));
  return { line: `[${known.join(', ')}]`, isNote: true };
}
