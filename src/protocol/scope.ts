/** Whose rows a caller may see. */
export interface Scope {
  readonly tenant: string;
}
