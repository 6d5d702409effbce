import { CHUNK_CHARACTERS } from '../upstream/chunks.ts';
import type { HeldStream } from './held-streams.ts';

/** Listens to streams while it is open, and compares when their chunks came with when they were sent. */
export class LatencyRecorder {
  private readonly added: number[] = [];
  private received = 0;
  private isOpen = false;

  /** `characters` of the stream have come already. */
  listen(stream: HeldStream, characters: number): void {
    const { sentAt } = stream.played;
    let total = characters;
    stream.onText = (count) => {
      const from = Math.floor(total / CHUNK_CHARACTERS);
      total += count;
      if (!this.isOpen) return;
      const now = performance.now();
      this.received += count;
      for (let chunk = from; chunk < Math.floor(total / CHUNK_CHARACTERS); chunk++)
        this.added.push(now - (sentAt[chunk] ?? now));
    };
  }

  open(): void {
    this.isOpen = true;
  }

  /** @returns the characters that came, and the added latencies of the chunks, ascending, in milliseconds */
  close(): { readonly characters: number; readonly latencies: Float64Array } {
    this.isOpen = false;
    return { characters: this.received, latencies: Float64Array.from(this.added).sort() };
  }
}

/** E.g. 0.99: what so large a part of the sorted values does not exceed. */
export function quantile(sorted: Float64Array | readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
