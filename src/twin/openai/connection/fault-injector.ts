/**
 * Owns: making the faults of one connection happen: on its socket, at their moments, to its responses.
 * Does not own: refusals before there is a session (`admission.ts`), what the faults are (`faults.ts`).
 *
 * Invariants:
 * F1. A fault whose moment is an event comes right after that event: nothing later reaches the client before it.
 * F2. After `stop` no timer is left.
 *
 * Bound: a client that does not read is dropped at `mostBufferedBytes`.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { Socket } from '../../../runtime/ports/socket.ts';
import type { Fault, Moment, ResponseOutcome } from '../faults.ts';
import type { ClientEventType } from '../protocol/client-events.ts';
import type { ServerEventType } from '../protocol/outbox.ts';
import type { SessionFaults } from '../session/session-context.ts';

const mostBufferedBytes = 16 * 1024 * 1024;

type NoiseFault = Extract<Fault, { kind: 'noise' }>;

/** What a fault can do to a connection besides its socket. */
export interface FaultTarget {
  /** From now on the connection hears nothing. */
  stall(answersPings: boolean): void;
  expire(announced: boolean): void;
}

interface Trap {
  type: ServerEventType | ClientEventType;
  direction: 'sent' | 'received';
  left: number;
  spring(): void;
}

export class FaultInjector implements SessionFaults {
  readonly #clock: Clock;
  readonly #line: Socket;
  readonly #target: FaultTarget;
  readonly #timers = new Set<TimerHandle>();
  readonly #noises: { fault: NoiseFault; sent: number }[] = [];
  #traps: Trap[] = [];
  #outcomes: { outcome: ResponseOutcome; left: number; isLasting: boolean }[] = [];
  #lateDeltas = 0;
  #isStalled = false;

  constructor(clock: Clock, line: Socket, target: FaultTarget) {
    this.#clock = clock;
    this.#line = line;
    this.#target = target;
  }

  /** The socket as the session shall use it. */
  get socket(): Socket {
    return {
      send: (text) => this.#send(text),
      ping: () => this.#line.ping(),
      close: (code, reason) => {
        if (!this.#isStalled) this.#line.close(code, reason);
      },
      terminate: () => this.#line.terminate(),
      bufferedBytes: () => this.#line.bufferedBytes(),
    };
  }

  /** Puts a fault in place. Faults of the upgrade have no effect any more. */
  inject(fault: Fault): void {
    switch (fault.kind) {
      case 'drop':
        this.#at(fault.when, () => this.#line.terminate());
        return;
      case 'close':
        this.#at(fault.when, () => this.#line.close(fault.code, fault.reason));
        return;
      case 'expire':
        this.#at(fault.when, () => this.#target.expire(fault.announced));
        return;
      case 'stall':
        this.#at(fault.when, () => this.#stall(fault.answersPings ?? false));
        return;
      case 'lateDeltas':
        this.#lateDeltas = fault.count;
        return;
      case 'response':
        this.#addOutcome(fault.outcome, fault.which ?? 1);
        return;
      case 'noise':
        this.#noises.push({ fault, sent: 0 });
        return;
      default:
        return;
    }
  }

  noteSent(type: ServerEventType): void {
    this.#note('sent', type);
  }

  noteReceived(type: ClientEventType): void {
    this.#note('received', type);
  }

  nextOutcome(): ResponseOutcome | null {
    for (const waiting of this.#outcomes) waiting.left -= 1;
    const due = this.#outcomes.find(({ left, isLasting }) => left === 0 || isLasting);
    this.#outcomes = this.#outcomes.filter(({ left, isLasting }) => left > 0 || isLasting);
    return due?.outcome ?? null;
  }

  lateDeltas(): number {
    return this.#lateDeltas;
  }

  stop(): void {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
    this.#traps = [];
  }

  #addOutcome(outcome: ResponseOutcome, which: number | 'every'): void {
    const isLasting = which === 'every';
    this.#outcomes.push({ outcome, left: isLasting ? 0 : which, isLasting });
  }

  #stall(answersPings: boolean): void {
    this.#isStalled = true;
    this.#target.stall(answersPings);
  }

  #at(moment: Moment, spring: () => void): void {
    if ('afterMs' in moment) {
      const timer = this.#clock.setTimeout(() => {
        this.#timers.delete(timer);
        spring();
      }, moment.afterMs);
      this.#timers.add(timer);
    } else if ('sent' in moment) {
      this.#traps.push({ type: moment.sent, direction: 'sent', left: moment.count ?? 1, spring });
    } else {
      this.#traps.push({ type: moment.received, direction: 'received', left: moment.count ?? 1, spring });
    }
  }

  #note(direction: Trap['direction'], type: Trap['type']): void {
    if (this.#traps.length === 0) return;
    const met = this.#traps.filter((trap) => trap.direction === direction && trap.type === type);
    for (const trap of met) trap.left -= 1;
    const sprung = met.filter(({ left }) => left === 0);
    this.#traps = this.#traps.filter((trap) => !sprung.includes(trap));
    for (const trap of sprung) trap.spring();
  }

  #send(text: string): void {
    if (this.#isStalled) return;
    if (this.#line.bufferedBytes() > mostBufferedBytes) {
      this.#line.terminate();
      return;
    }
    let message = text;
    for (const noise of this.#noises) {
      noise.sent += 1;
      if (noise.sent % noise.fault.everyEvents === 0) message = this.#disturb(noise.fault, message);
    }
    this.#line.send(message);
  }

  /** Sends what a noise adds, and returns what becomes of the message itself. */
  #disturb({ noise }: NoiseFault, message: string): string {
    switch (noise) {
      case 'duplicate':
        this.#line.send(message);
        return message;
      case 'unknownEvent':
        this.#line.send('{"type":"session.mood_changed","event_id":"event_unknown","mood":"sunny"}');
        return message;
      case 'unknownField':
        return `${message.slice(0, -1)},"unheard_of":{"nested":[1,null]}}`;
      case 'malformed':
        this.#line.send(message.slice(0, Math.ceil(message.length / 2)));
        return message;
      case 'binary':
        this.#line.sendBinary?.(Buffer.from(message));
        return message;
    }
  }
}
