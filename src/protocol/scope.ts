/** Whose rows a caller may see. */
export interface Scope {
  readonly tenant: string;
}

/** What a tenant may be called, in words. */
export const TENANT_RULE =
  'up to 64 letters, digits, dots, dashes and underscores, the first a letter or digit';

/** True for the name of a tenant, as TENANT_RULE says. */
export function isTenant(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}
