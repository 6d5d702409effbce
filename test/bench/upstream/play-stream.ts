import type { Socket } from 'node:net';
import { CLOSING, contentAt, contentBetween, OPENING } from './chunks.ts';
import type { Plan } from './plan.ts';
import { Wheel } from './wheel.ts';

/** What became of one stream. All times are of `performance.now()`, in milliseconds. */
export interface Played {
  /** When its request had been read. */
  readonly askedAt: number;
  /** When each chunk was given to the socket. Of an unpaced stream only those that went out one by one. */
  readonly sentAt: readonly number[];
  /** Lets a held stream go on. */
  release(): void;
  /** Ends it after the chunk that is due. */
  finish(): void;
}

const wheels = new Map<number, Wheel>();

function wheelOf(everyMs: number): Wheel {
  const known = wheels.get(everyMs) ?? new Wheel(everyMs);
  wheels.set(everyMs, known);
  return known;
}

/** Writes what the plan says to the socket, which is kept open for the next request. */
export function playStream(socket: Socket, plan: Plan): Played {
  const askedAt = performance.now();
  const sentAt: number[] = [];
  let leave = () => {};
  let isOver = false;

  const sendOne = () => {
    socket.write(contentAt(sentAt.length));
    sentAt.push(performance.now());
  };
  const end = () => {
    if (isOver) return;
    isOver = true;
    leave();
    socket.off('close', end);
    if (!socket.destroyed) socket.write(CLOSING);
  };
  const goOn = () => {
    if (isOver) return;
    if (plan.everyMs > 0) {
      leave = wheelOf(plan.everyMs).add(() => (sentAt.length < plan.chunks ? sendOne() : end()));
      return;
    }
    isOver = true;
    socket.off('close', end);
    socket.write(contentBetween(sentAt.length, plan.chunks));
    socket.write(CLOSING);
  };

  socket.once('close', end);
  socket.cork();
  socket.write(OPENING);
  if (plan.held) sendOne();
  else goOn();
  socket.uncork();
  return { askedAt, sentAt, release: goOn, finish: end };
}
