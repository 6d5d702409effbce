/** One line: whitespace and control characters become single spaces, and at most `max` code units are kept. */
export function toLine(text: string, max: number): string {
  return cut(text.toWellFormed().replace(/[\s\p{Cc}]+/gu, ' '), max).trim();
}

/** The first `max` code units at most, without half a character at the end. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = text.slice(0, max);
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
}

const ENTITIES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
    nbsp: ' ',
    hellip: '…',
    ndash: '–',
    mdash: '—',
    lsquo: '‘',
    rsquo: '’',
    ldquo: '“',
    rdquo: '”',
  }),
);

/** The text of an HTML fragment. Tags go before entities are read, so that a `&lt;b&gt;` stays as `<b>`. */
export function fromHtml(html: string): string {
  const text = html.replace(/<\/?[a-z][^<>]*>/gi, '');
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi, (entity, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES.get(name) ?? entity;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}
