/**
 * Owns: making a stream's scripted faults happen at their moments.
 * Does not own: what each of them does to the stream (`media-stream.ts`), faults outside a stream.
 *
 * Invariants:
 * S1. After `disarm` nothing more happens.
 */

import type { TimerHandle } from '../../../runtime/ports/clock.ts';
import { silentFrame } from '../../caller/voice.ts';
import type { StreamFault, StreamFaultAction } from '../faults.ts';
import type { FrameFate, MediaStream, StreamPorts } from './media-stream.ts';

type TimedFault = StreamFaultAction & { afterMs: number };

const isTimed = (fault: StreamFault): fault is TimedFault => 'afterMs' in fault;

const defaultNoticedAfterMs = 20_000;
const defaultLingerMs = 60_000;
const defaultFloodMessages = 100_000;
/** One gap begins in so much audio. */
const msPerGap = 1_000;

export interface SaboteurPorts extends StreamPorts {
  /** Length of a frame. */
  frameMs: number;
}

export class Saboteur {
  readonly #ports: SaboteurPorts;
  readonly #stream: MediaStream;
  readonly #faults: readonly StreamFault[];
  readonly #onFault: (fault: string) => void;
  readonly #timers: TimerHandle[] = [];

  /** @param onFault called with the name of each timed fault when it happens */
  constructor(
    ports: SaboteurPorts,
    stream: MediaStream,
    faults: readonly StreamFault[],
    onFault: (fault: string) => void,
  ) {
    this.#ports = ports;
    this.#stream = stream;
    this.#faults = faults;
    this.#onFault = onFault;
  }

  /** To be called when the stream has started. */
  arm(): void {
    const { clock, random, frameMs } = this.#ports;
    for (const fault of this.#faults) {
      if (fault.fault === 'jitter') {
        this.#stream.disturb(
          jitterFate(random, frameMs / msPerGap, fault.mostMs ?? 10, fault.burstMs ?? 240),
        );
      } else if (isTimed(fault)) {
        this.#timers.push(clock.setTimeout(() => this.#strike(fault), fault.afterMs));
      }
    }
  }

  disarm(): void {
    for (const timer of this.#timers.splice(0)) this.#ports.clock.clearTimeout(timer);
  }

  #strike(fault: TimedFault): void {
    this.#onFault(fault.fault);
    const stream = this.#stream;
    switch (fault.fault) {
      case 'reset':
        stream.reset();
        break;
      case 'closeFrame':
        stream.cut(fault.code ?? 1001);
        break;
      case 'halfOpen':
        this.#goHalfOpen(fault.noticedAfterMs);
        break;
      case 'protocolError':
        stream.freeze();
        stream.giveUp(31924, fault.lingerMs ?? defaultLingerMs);
        break;
      case 'mediaGap':
        stream.disturb(gapFate(this.#ports, fault.forMs, fault.audio));
        break;
      case 'flood':
        stream.flood(fault.messages ?? defaultFloodMessages, silentFrame.payload);
        break;
      case 'garbage':
        for (const kind of fault.kinds) stream.sendGarbage(kind);
    }
  }

  #goHalfOpen(noticedAfterMs: number | null = defaultNoticedAfterMs): void {
    this.#stream.freeze();
    if (noticedAfterMs === null) return;
    const giveUp = (): void => this.#stream.giveUp(31903, defaultLingerMs);
    this.#timers.push(this.#ports.clock.setTimeout(giveUp, noticedAfterMs));
  }
}

function jitterFate(
  random: StreamPorts['random'],
  gapShare: number,
  mostMs: number,
  burstMs: number,
): FrameFate {
  return () => (random() < gapShare ? burstMs : random() * mostMs);
}

function gapFate({ clock }: StreamPorts, forMs: number, audio: 'late' | 'lost'): FrameFate {
  const endsAt = clock.monotonic() + forMs;
  return () => {
    const leftMs = endsAt - clock.monotonic();
    if (leftMs <= 0) return 0;
    return audio === 'late' ? leftMs : null;
  };
}
