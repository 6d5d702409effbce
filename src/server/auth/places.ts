/** How many things of a kind each caller may have at once in this process. */
export class Places {
  private readonly limit: number;
  private readonly taken = new Map<string, number>();

  /** `limit`: Infinity for no limit. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Takes a place; null if there is none. What it gives gives the place back, once however often it is called. */
  take(key: string): (() => void) | null {
    if (this.limit === Number.POSITIVE_INFINITY) return NOTHING; // and nothing to count
    const count = this.taken.get(key) ?? 0;
    if (count >= this.limit) return null;
    this.taken.set(key, count + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.giveBack(key);
      isTaken = false;
    };
  }

  private giveBack(key: string): void {
    const count = this.taken.get(key) ?? 0;
    if (count > 1) this.taken.set(key, count - 1);
    else this.taken.delete(key);
  }
}

const NOTHING = () => {};
