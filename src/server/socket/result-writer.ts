import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { toWireText, type WireText } from '../../graphql/live/shared-selection.ts';
import type { ResultBatches } from '../../graphql/live/subscribe-in-batches.ts';
import { abortable, orAborted } from '../../util/async-iteration.ts';
import { piecesOf } from '../pieces.ts';

/** A WebSocket that results are written to, and what it stands on. */
export interface Outlet {
  readonly socket: WebSocket;
  readonly connection: Socket;
  /** Null while there is room for more; else resolves when it is to be asked again. */
  room(): Promise<void> | null;
}

/** All who wait for a client that reads slowly wait for one thing. `gone` resolves when the socket has closed. */
export function createOutlet(socket: WebSocket, connection: Socket, gone: Promise<void>): Outlet {
  return new SocketOutlet(socket, connection, gone);
}

class SocketOutlet implements Outlet {
  readonly socket: WebSocket;
  readonly connection: Socket;
  private readonly gone: Promise<void>;
  private waiting: Promise<void> | null = null;

  constructor(socket: WebSocket, connection: Socket, gone: Promise<void>) {
    this.socket = socket;
    this.connection = connection;
    this.gone = gone;
  }

  room(): Promise<void> | null {
    // What comes after a close is not asked for any further.
    if (this.socket.readyState !== this.socket.OPEN) return this.gone;
    if (!this.connection.writableNeedDrain) return null;
    this.waiting ??= this.drained();
    return this.waiting;
  }

  private drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.connection.once('drain', resolve);
    return Promise.race([promise, this.gone]).finally(() => {
      this.connection.off('drain', resolve);
      this.waiting = null;
    });
  }
}

/**
 * Writes the results of a subscription as `next` messages of graphql-transport-ws, all of a batch in one write and
 * awaited by nobody; a client that reads slowly is given the next batch when it has room. To the protocol this is a
 * stream without a result: it ends when the subscription does, and leaving it releases the follower at once.
 *
 * The frames are made here and not by `ws`, which takes a write for each, and they go to the same connection: it
 * has no extension that would change them.
 */
export function writeResults(
  { texts, tap }: ResultBatches,
  id: string,
  outlet: Outlet,
): AsyncGenerator<never, void> {
  const head = toWireText(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  const toFrame = (text: WireText) => `${frameHead(head.length + text.length + 1)}${head}${text}}`;
  const write = (piece: WireText) => outlet.connection.write(piece, 'latin1');
  tap((batch) => {
    if (outlet.room() !== null) return false;
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) write(toFrame(only));
    else for (const piece of piecesOf(batch, toFrame)) write(piece);
    return true;
  });
  return abortable<never>(async function* (signal) {
    signal.addEventListener('abort', () => void texts.return().catch(() => {})); // the loop meets the error
    try {
      for await (const batch of texts) {
        for (const piece of piecesOf(batch, toFrame)) {
          for (let room = outlet.room(); room !== null; room = outlet.room()) {
            await orAborted(room, signal);
            if (signal.aborted || outlet.socket.readyState === outlet.socket.CLOSED) return;
          }
          write(piece);
        }
      }
    } finally {
      await texts.return();
    }
  });
}

/** A whole text message, unmasked, of so many bytes: https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
function frameHead(length: number): WireText {
  if (length < 126) return `\x81${String.fromCharCode(length)}`;
  if (length < 2 ** 16) return `\x81\x7e${String.fromCharCode(length >> 8, length & 0xff)}`;
  const bytes = [24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff);
  return `\x81\x7f\0\0\0\0${String.fromCharCode(...bytes)}`;
}
