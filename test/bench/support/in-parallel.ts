/** Does `work` for 0 up to `count`, so many at a time, and resolves to what came of it, in order. */
export async function inParallel<T>(
  { count, width }: { readonly count: number; readonly width: number },
  work: (index: number) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) done[index] = await work(index);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
  return done;
}
