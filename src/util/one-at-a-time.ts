/**
 * Work that is never done twice at the same time. Asked for while it is under way it is done once more after that,
 * however often it was asked for. `work` must not throw.
 *
 * @returns a function that asks for it. Its promise resolves once work that began after the asking is done.
 */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const begin = async () => {
    try {
      await work();
    } finally {
      current = null;
    }
  };
  const ask = (): Promise<void> => {
    if (current === null) {
      current = begin();
      return current;
    }
    next ??= current.then(() => {
      next = null;
      return ask();
    });
    return next;
  };
  return ask;
}
