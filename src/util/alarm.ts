/** A timer set for longer than this would go off at once. In milliseconds. */
const LONGEST = 2_147_483_647;

/**
 * Calls `ring` once, when a time has come: as soon as possible, if it is past. Keeps no process alive.
 *
 * @returns a function that calls it off.
 */
export function alarm(at: Date, ring: () => void): () => void {
  let timer: NodeJS.Timeout;
  const set = () => {
    const left = at.getTime() - Date.now();
    timer = setTimeout(left > LONGEST ? set : ring, Math.min(Math.max(left, 0), LONGEST)).unref();
  };
  set();
  return () => clearTimeout(timer);
}
