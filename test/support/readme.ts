import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The code blocks of a language, in order. */
export function blocks(language: string): readonly string[] {
  return [...README.matchAll(new RegExp(`^ *\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'gm'))].map(
    (match) => match[1] ?? '',
  );
}
