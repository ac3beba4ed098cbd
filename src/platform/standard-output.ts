/**
 * Owns: what a process writes to its standard output, the log and what a person sees: that it arrives, or is given up.
 * Does not own: what is worth a line (`telemetry/logger.ts`, `service/terminal.ts`).
 *
 * Whoever reads it may have stopped reading, and its disk may be full: calls go on, and the process ends in time. Pino's
 * own destination (sonic-boom 4.2) throws what cannot be written, keeps all without a bound, and at the exit tries a full
 * disk or pipe again for ever.
 *
 * Invariants:
 * O1. Nothing waits for it, nothing throws, and trouble with it is told to nobody but itself.
 * O2. What has found no room is dropped, counted, and told in one line once there is none left to write.
 * O3. What was taken in arrives whole and in order, also where a write took a part of it.
 */
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import type { Clock } from '../runtime/ports/clock.ts';
import { systemClock } from './clock.ts';

/** Characters that wait: some thousand lines. */
const room = 1_048_576;

/** Bytes of short lines that are written at once: so many of a pipe's are never mixed with another process's (`PIPE_BUF`). */
const chunkBytes = 4_096;

/** Before what failed is tried again. */
const pauseMs = 50;

export class StandardOutput {
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #waiting: string[] = [];
  #waitingChars = 0;
  /** What is to be written next, or is being written. */
  #chunk: Buffer = Buffer.alloc(0);
  /** `paused`: it failed, and is tried again. */
  #state: 'idle' | 'writing' | 'paused' = 'idle';
  #dropped = 0;
  #tellDropped: (lines: number) => void = () => undefined;
  #onIdle: (() => void)[] = [];

  constructor(place: Place, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** Who writes the line that tells how many were dropped (O2). */
  tellDroppedBy(tell: (lines: number) => void): void {
    this.#tellDropped = tell;
  }

  /** `line` with its line feed. */
  write(line: string): void {
    if (this.#waitingChars + line.length > room) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    if (this.#state === 'idle') this.#next();
  }

  /** Resolves when nothing waits any more, at the latest after so long. */
  written(withinMs: number): Promise<void> {
    if (this.#state === 'idle') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, withinMs);
      this.#onIdle.push(() => {
        this.#clock.clearTimeout(timer);
        resolve();
      });
    });
  }

  /** The process ends in this moment, and nobody has waited for `written`: what can be written at once is. */
  writeLast(): void {
    try {
      // What is being written is in other hands, and these are waited for.
      if (this.#state === 'writing') this.#chunk = this.#take();
      for (; this.#chunk.length > 0; this.#chunk = this.#take()) {
        while (this.#chunk.length > 0) {
          this.#place.keepFromWaiting();
          this.#wrote(writeSync(this.#place.descriptor, this.#chunk));
        }
      }
    } catch {
      // O1: there is nobody left to try again.
    }
  }

  #next(): void {
    if (this.#chunk.length === 0) this.#chunk = this.#take();
    if (this.#chunk.length === 0) {
      this.#rest();
      return;
    }
    this.#state = 'writing';
    this.#place.keepFromWaiting();
    write(this.#place.descriptor, this.#chunk, (error, bytes) => {
      if (error) {
        this.#state = 'paused';
        this.#clock.setTimeout(() => this.#next(), pauseMs);
      } else {
        this.#wrote(bytes);
        this.#next();
      }
    });
  }

  #wrote(bytes: number): void {
    this.#chunk = this.#chunk.subarray(bytes);
  }

  #rest(): void {
    this.#state = 'idle';
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#tellDropped(dropped);
    if (this.#state === 'idle') for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Whole lines: one, however long, or as many as fit. */
  #take(): Buffer {
    const lines: string[] = [];
    let bytes = 0;
    for (;;) {
      const line = this.#waiting[0];
      if (line === undefined) break;
      bytes += Buffer.byteLength(line);
      if (lines.length > 0 && bytes > chunkBytes) break;
      lines.push(line);
      this.#waiting.shift();
      this.#waitingChars -= line.length;
    }
    return Buffer.from(lines.join(''));
  }
}

/** Where it goes, and how it is kept from waiting for whoever reads there. */
export interface Place {
  descriptor: number;
  /** Before each write. */
  keepFromWaiting(): void;
}

/**
 * Whether a write to a pipe, socket or terminal waits is shared by all processes that have it, and Node.js sets it to wait
 * again as one of them exits. A write that waits for ever would hold up the exit for ever. Opened anew, a pipe and a terminal
 * are our own (Linux); where that cannot be, as with a socket, it is set not to wait before each write. A file never waits
 * for a reader; opened anew, it would be written from its beginning.
 */
function placeOf(stream: typeof process.stdout & SharedHandle): Place {
  const { fd } = stream;
  try {
    if (fstatSync(fd).isFile()) return { descriptor: fd, keepFromWaiting: () => undefined };
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    return { descriptor: openSync(`/proc/self/fd/${fd}`, flags), keepFromWaiting: () => undefined };
  } catch {
    return { descriptor: fd, keepFromWaiting: () => void stream._handle?.setBlocking?.(false) };
  }
}

/** Not documented by Node.js: nothing that is reaches this flag. */
interface SharedHandle {
  _handle?: { setBlocking?(waits: boolean): unknown };
}

let output: StandardOutput | null = null;

/** That of this process. */
export function standardOutput(): StandardOutput {
  if (output === null) {
    const opened = new StandardOutput(placeOf(process.stdout), systemClock);
    process.on('exit', () => opened.writeLast());
    output = opened;
  }
  return output;
}
