/**
 * How many bytes a value takes as JSON, more or less; counting ends beyond the limit. Without recursion, as nobody
 * knows how deep it is nested.
 */
export function jsonSize(value: unknown, limit: number): number {
  let size = 0;
  const rest = [value];
  while (rest.length > 0 && size <= limit) {
    const each = rest.pop();
    if (typeof each === 'string') size += Buffer.byteLength(each) + 2;
    else if (typeof each !== 'object' || each === null) size += String(each).length;
    else if (Array.isArray(each)) {
      size += each.length + 1;
      if (size <= limit) for (const element of each) rest.push(element);
    } else {
      size += 1;
      for (const [key, element] of Object.entries(each)) {
        size += Buffer.byteLength(key) + 4;
        rest.push(element);
      }
    }
  }
  return size;
}

/** Whether a value holds objects or lists in more levels than that. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}
