/**
 * Owns: server-sent events to a page (HTML Living Standard, 9.2), and the end of one that does not read.
 * Does not own: what is told.
 *
 * Invariants:
 * I4. After the page has gone, or `closeAll`, no timer and no watcher is left.
 * I9. What a page has not read is at most `mostPendingBytes` and one event more, for at most `mostPendingMs` without
 *     progress: then it is cut off.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';

export const mostPendingBytes = 1_024 * 1_024;
export const mostPendingMs = 10_000;
export const heartbeatMs = 15_000;

/** Below it, there is room for the next of many events. */
const roomBytes = 64 * 1_024;

const head = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // A proxy that collects answers would hold events back (nginx).
  'x-accel-buffering': 'no',
};

export class EventStreams {
  readonly #clock: Clock;
  readonly #open = new Set<EventStream>();
  readonly #onCut: () => void;

  /** @param onCut a page was cut off */
  constructor(clock: Clock, onCut: () => void) {
    this.#clock = clock;
    this.#onCut = onCut;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Answers with a stream of events. */
  open(reply: FastifyReply): EventStream {
    reply.hijack();
    reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...head });
    reply.raw.flushHeaders();
    const stream: EventStream = new EventStream(reply.raw, this.#clock, this.#onCut);
    this.#open.add(stream);
    stream.onEnd(() => this.#open.delete(stream));
    return stream;
  }

  closeAll(): void {
    for (const stream of [...this.#open]) stream.close();
  }
}

export class EventStream {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #onCut: () => void;
  readonly #ends: (() => void)[] = [];
  #written = 0;
  #flushed = 0;
  /** Since when the page has taken nothing of what waits for it. */
  #pendingSinceMs = 0;
  #watchdog: TimerHandle | null = null;
  #heartbeat: TimerHandle;
  #isOver = false;

  constructor(response: ServerResponse, clock: Clock, onCut: () => void) {
    this.#response = response;
    this.#clock = clock;
    this.#onCut = onCut;
    this.#heartbeat = this.#beatLater();
    response.once('close', () => this.#end());
    response.on('error', () => undefined);
  }

  /** @param data one line, as JSON is @param id what a page that comes back has seen */
  send(event: string, data: string, id?: number): void {
    this.#write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);
  }

  /** Resolves when there is room for one more event, or nobody there any more. */
  async room(): Promise<void> {
    if (this.#isOver || this.#response.writableLength < roomBytes) return;
    await new Promise<void>((resolve) => {
      this.#response.once('drain', resolve);
      this.onEnd(resolve);
    });
  }

  /** Called once, also where it is over already. */
  onEnd(listener: () => void): void {
    if (this.#isOver) listener();
    else this.#ends.push(listener);
  }

  close(): void {
    this.#response.end();
    this.#end();
  }

  #write(text: string): void {
    if (this.#isOver) return;
    if (this.#response.writableLength > mostPendingBytes) {
      this.#cut();
      return;
    }
    if (this.#written === this.#flushed) this.#pendingSinceMs = this.#clock.monotonic();
    this.#written += 1;
    this.#response.write(text, () => {
      this.#flushed += 1;
      this.#pendingSinceMs = this.#clock.monotonic();
    });
    this.#watchdog ??= this.#clock.setTimeout(() => this.#look(), mostPendingMs);
  }

  #look(): void {
    this.#watchdog = null;
    if (this.#written === this.#flushed) return;
    const leftMs = this.#pendingSinceMs + mostPendingMs - this.#clock.monotonic();
    if (leftMs <= 0) this.#cut();
    else this.#watchdog = this.#clock.setTimeout(() => this.#look(), leftMs);
  }

  #beatLater(): TimerHandle {
    return this.#clock.setTimeout(() => {
      this.#heartbeat = this.#beatLater();
      this.#write(':\n\n');
    }, heartbeatMs);
  }

  #cut(): void {
    this.#onCut();
    this.#response.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#clock.clearTimeout(this.#heartbeat);
    if (this.#watchdog !== null) this.#clock.clearTimeout(this.#watchdog);
    for (const listener of this.#ends.splice(0)) listener();
  }
}
