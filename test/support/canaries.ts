import { randomBytes } from 'node:crypto';

/** A secret that is found again in whatever form somebody writes it: with letters that addresses, JSON and base64 change. */
export function newCanary(name: string): string {
  return `canary-${name}-${randomBytes(6).toString('hex')}+/"\\=end`;
}

/** Places where one of the canaries stands in a text, in any of the usual forms, with what is around it. */
export function canariesIn(text: string, canaries: readonly string[]): readonly string[] {
  const lower = text.toLowerCase();
  return canaries.flatMap((canary) =>
    formsOf(canary).flatMap((form) => {
      const at = lower.indexOf(form.toLowerCase());
      return at === -1 ? [] : [`${canary} as ${form}: …${text.slice(Math.max(0, at - 200), at + 100)}…`];
    }),
  );
}

function formsOf(canary: string): readonly string[] {
  const core = (/canary-[\w-]+/.exec(canary)?.[0] ?? canary).slice(0, -4); // half of it is too much as well, and no form changes it but base64
  const base64 = [0, 1, 2].map((before) => {
    const bytes = Buffer.from('.'.repeat(before) + core);
    return bytes.toString('base64').slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6));
  });
  return [core, ...base64];
}

/** A text as those write it who repeat it: in JSON, in an address, in base64 alone and with more before it. */
export function repeated(secret: string): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const encoded = encodeURIComponent(secret);
  const inner = JSON.stringify({ inner: JSON.stringify({ secret }) });
  return [
    secret,
    JSON.stringify(secret),
    encoded,
    inner,
    base64(secret),
    base64(`Bearer ${secret}`),
    base64(`u:${secret}`),
  ].join(' ');
}
