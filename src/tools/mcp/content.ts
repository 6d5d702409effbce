import { z } from 'zod';
import type { InputImagePart, InputPart } from '../../protocol/content.ts';
import { ToolFailure } from '../tool-failure.ts';

/** A result as far as any server can be relied on. */
export const CallResult = z.object({
  content: z.array(z.unknown()).catch([]),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
});

export type CallResult = z.output<typeof CallResult>;

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
    throw new ToolFailure('execution', text.trim() || 'The tool failed and did not say why.');
  const images = blocks.flatMap((block) => ('image' in block ? block.image : []));
  return [...(text === '' ? [] : [{ type: 'input_text', text } as const]), ...images];
}

type ReadBlock = { readonly line: string; readonly isNote: boolean } | { readonly image: InputImagePart };

const Text = z.object({ type: z.literal('text'), text: z.string() });
const Base64 = z.string().transform((data) => data.replace(/\s+/g, ''));
const Image = z.object({
  type: z.literal('image'),
  mimeType: z.string().regex(/^image\/[\w.+-]+$/),
  data: Base64.pipe(z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/)),
});
const Media = z.object({ type: z.string(), mimeType: z.string().catch(''), data: Base64 });
const Resource = z.object({
  type: z.literal('resource'),
  resource: z.object({
    uri: z.string().catch(''),
    mimeType: z.string().catch(''),
    text: z.string().nullable().catch(null),
    blob: Base64.catch(''),
  }),
});
const ResourceLink = z.object({
  type: z.literal('resource_link'),
  uri: z.string(),
  name: z.string().catch(''),
  mimeType: z.string().catch(''),
});
const Unknown = z.object({ type: z.string() });

const Block = z.union([
  Text.transform(({ text }): ReadBlock => ({ line: text, isNote: false })),
  Image.transform(({ mimeType, data }): ReadBlock => ({ image: toImage(mimeType, data) })),
  Resource.transform(({ resource: { uri, mimeType, text, blob } }) => {
    const bytes = text === null ? Buffer.byteLength(blob, 'base64') : Buffer.byteLength(text);
    return note(mimeType || 'resource', `${bytes} bytes`, uri);
  }),
  ResourceLink.transform(({ uri, name, mimeType }) => note(name, mimeType, uri)),
  Media.transform(({ type, mimeType, data }) =>
    note(mimeType || type, `${Buffer.byteLength(data, 'base64')} bytes`),
  ),
  Unknown.transform(({ type }) => note(`unknown content: ${type}`)),
]);

function readBlock(block: unknown): ReadBlock {
  const { success, data } = Block.safeParse(block);
  return success ? data : note('unknown content');
}

function toImage(mimeType: string, data: string): InputImagePart {
  return { type: 'input_image', imageUrl: `data:${mimeType};base64,${data}`, detail: 'auto' };
}

function note(...facts: readonly string[]): ReadBlock {
  return { line: `[${facts.filter((fact) => fact !== '').join(', ')}]`, isNote: true };
}
