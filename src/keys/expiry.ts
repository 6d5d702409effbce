const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const DURATION = /^([1-9]\d{0,5})([mhd])$/;

/** A date, or a date and a time with its zone, as ISO 8601 writes them. */
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** The time that `30d`, `12h` or a date stand for, a date for its beginning (UTC). Null for what is no time to come. */
export function parseExpiry(text: string, now: Date): Date | null {
  const time = timeOf(text, now);
  return time > now.getTime() ? new Date(time) : null;
}

function timeOf(text: string, now: Date): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (unit === 'm' || unit === 'h' || unit === 'd') return now.getTime() + Number(count) * UNITS_MS[unit];
  return DATE.test(text) ? Date.parse(text) : Number.NaN;
}
