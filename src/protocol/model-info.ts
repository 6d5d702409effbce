/** A model that the upstream offers. */
export interface ModelInfo {
  readonly name: string;
  readonly ownedBy: string | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number | null;
}
