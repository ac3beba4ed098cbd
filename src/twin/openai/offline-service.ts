/**
 * Owns: the offline Realtime service behind whatever transport: its options, its connections, its sessions.
 * Does not own: listening (`server.ts`), connections in memory (`memory-connection.ts`).
 *
 * Bounds: `keptSessions` ended sessions and `mostAttempts` attempts are kept for inspection, the newest ones.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import type { SocketHandlers } from '../../runtime/ports/socket.ts';
import { type Random, seededRandom } from '../random.ts';
import { SegmentCache } from './audio/segment-cache.ts';
import type { Brain } from './brain.ts';
import { type Admission, admit, type ConnectionRequest, sendRefusal } from './connection/admission.ts';
import { type Fault, type FaultPlan, noFaults } from './faults.ts';
import type { Pace } from './pace.ts';
import { identifyWith } from './protocol/identifiers.ts';
import { type Line, TwinSession } from './twin-session.ts';

/** The largest message of a client: 15 MiB of audio, base64-encoded, and what is around it. */
export const largestMessageBytes = 21 * 1024 * 1024;

export interface OfflineServiceOptions {
  clock: Clock;
  brain: Brain;
  faults?: FaultPlan;
  /** Accepted keys. Left out: any key, but one must be given. */
  keys?: readonly string[];
  /** From which all identifiers and all jitter follow. */
  seed?: number;
  pace?: Partial<Pace>;
  /** Milliseconds after which a session ends. Default: the service's 60 minutes. */
  sessionMaximumMs?: number;
  /** Newest audio bytes kept per session. Default: 2 MiB, some four minutes of µ-law. */
  recordedAudioBytes?: number;
  /** Ended sessions kept for inspection. Default: 64. */
  keptSessions?: number;
}

/** A try to connect. */
export interface Attempt {
  connection: number;
  /** Wall clock of the twin, milliseconds since the Unix epoch. */
  at: number;
  outcome: Admission['kind'];
}

/** What is done with a connection request. */
export interface Reception {
  connection: number;
  /** Wait so long before answering, milliseconds. */
  delayMs: number;
  admission: Admission;
  faults: readonly Fault[];
}

const mostAttempts = 10_000;

export class OfflineService {
  readonly #options: OfflineServiceOptions;
  readonly #random: Random;
  readonly #sounds = new SegmentCache();
  readonly #sessions: TwinSession[] = [];
  readonly #attempts: Attempt[] = [];
  #connections = 0;

  constructor(options: OfflineServiceOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Live and past sessions in the order of their connections. */
  get sessions(): readonly TwinSession[] {
    return this.#sessions;
  }

  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  /** Judges a connection request and draws the faults that it meets. */
  receive(request: ConnectionRequest): Reception {
    const connection = this.#connections++;
    const faults = (this.#options.faults ?? noFaults)(connection);
    const admission = refusalByFault(faults) ?? admit(request, this.#options.keys ?? null);
    this.#attempts.push({ connection, at: this.clock.now(), outcome: admission.kind });
    if (this.#attempts.length > mostAttempts) this.#attempts.shift();
    const slow = faults.find((fault) => fault.kind === 'slowUpgrade');
    return { connection, delayMs: slow?.delayMs ?? 0, admission, faults };
  }

  /** Begins what was admitted on an open line. Returns what the transport shall call. */
  open(line: Line, { connection, admission, faults }: Reception): SocketHandlers {
    const random = seededRandom(Math.floor(this.#random() * 0x1_0000_0000));
    if (admission.kind !== 'accepted') {
      if (admission.kind === 'refusedInBand') {
        sendRefusal(line.socket, admission.reason, identifyWith(random)('event'));
      }
      return { onMessage: () => undefined, onClose: () => undefined };
    }
    const { clock, brain, pace, sessionMaximumMs, recordedAudioBytes } = this.#options;
    const options = {
      clock,
      random,
      brain,
      pace,
      model: admission.model,
      sounds: this.#sounds,
      maximumMs: sessionMaximumMs ?? 3_600_000,
      recordedAudioBytes: recordedAudioBytes ?? 2 * 1024 * 1024,
    };
    const session = new TwinSession(connection, options, line, faults);
    this.#keep(session);
    session.start(admission.isSideband);
    return session.handlers;
  }

  /** Drops all connections. */
  close(): void {
    for (const session of this.#sessions) if (session.closure === null) session.terminate();
  }

  #keep(session: TwinSession): void {
    this.#sessions.push(session);
    const ended = this.#sessions.filter(({ closure }) => closure !== null);
    if (ended.length <= (this.#options.keptSessions ?? 64)) return;
    this.#sessions.splice(this.#sessions.indexOf(ended[0] as TwinSession), 1);
  }
}

function refusalByFault(faults: readonly Fault[]): Admission | null {
  for (const fault of faults) {
    if (fault.kind === 'refuseInBand') return { kind: 'refusedInBand', reason: fault.reason };
    if (fault.kind === 'refuseUpgrade') {
      return {
        kind: 'refused',
        status: fault.status,
        retryAfterSeconds: fault.retryAfterSeconds ?? null,
      };
    }
  }
  return null;
}
