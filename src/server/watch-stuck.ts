import type { Socket } from 'node:net';

/** How often a connection is looked at before it counts as stuck. */
const LOOKS = 4;

/**
 * Watches a connection, and calls `onStuck` once if bytes have waited for `stuckMs` to leave and not one of them did:
 * the other side reads nothing. A slow reader is none of these, however long it takes. Looks are counted, not time,
 * so that a process that stood still does not blame its clients.
 *
 * @returns a function that ends the watch.
 */
export function watchStuck(socket: Socket, stuckMs: number, onStuck: () => void): () => void {
  let progress = progressOf(socket);
  let looks = 0;
  const timer = setInterval(() => {
    const now = progressOf(socket);
    looks = socket.writableLength > 0 && now === progress ? looks + 1 : 0;
    progress = now;
    if (looks < LOOKS) return;
    clearInterval(timer);
    onStuck();
  }, stuckMs / LOOKS).unref();
  return () => clearInterval(timer);
}

/** Something that stays the same as long as no byte leaves, whatever else is written. */
function progressOf(socket: Socket): string {
  return `${socket.bytesWritten - socket.writableLength} ${waitingBelow(socket)}`;
}

/**
 * What the operating system has not taken yet of the write under way, so that a large one counts bit by bit. Node
 * looks there for its own time-outs and shows it to nobody else; without it a write counts as a whole.
 */
function waitingBelow(socket: Socket): unknown {
  const handle: unknown = Reflect.get(socket, '_handle');
  return typeof handle === 'object' && handle !== null && 'writeQueueSize' in handle
    ? handle.writeQueueSize
    : null;
}
