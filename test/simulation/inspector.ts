/**
 * Owns: what must hold at any moment while the calls of a story are under way, looked at once a second: that both
 * sockets of a conversation are truly open and every open socket is some call's (I5), and that memory is bounded (I9).
 * Does not own: what must hold once a call is over (`check-end.ts`).
 *
 * What takes time to be noticed is wrong only where it stays so for longer than its bound.
 */
import type { Call } from '../../src/runtime/call.ts';
import { lineLimit } from '../../src/runtime/conversation.ts';
import { queueLimit } from '../../src/runtime/writer.ts';
import type { LiveCall } from '../../src/service/live-call.ts';
import type { TwinSession } from '../../src/twin/openai/twin-session.ts';
import type { TwinCall } from '../../src/twin/twilio/call/call.ts';
import type { SimulatedProcess } from './process.ts';
import { isJournalLost, type Story } from './story.ts';
import type { World } from './world.ts';

const everyMs = 1_000;

/** How long a socket may be open and no call's yet: its first message and its closing handshake have so long. */
const strangerMs = 12_000;
/** How long one that was a call's may take to close. */
const closingMs = 2_000;
/** How long a process may take a stream for good that has ended: that no audio comes is noticed, then waited out. */
const deadStreamMs = 8_000;
/** The same for a session: the next ping is not answered. */
const deadSessionMs = 6_000;
/** How long commands wait for a journal that stalls before the call is given up. */
const stalledMs = 60_000;
/** One session takes over from another within a turn of the conversation. */
const thirdSessionMs = 2_000;

/** The caller's audio of ten seconds and replies of thirty, each with three blocks of half a second to spare. */
const mostAudioBytes = 40_000 * 8 + 6 * 4_000;
const mostTimersOfCall = 12;
/** Of a call's chart, sockets, tools and requests, beside those of an idle process. */
const mostTimersPerCall = 16;

export class Inspector {
  readonly #world: World;
  readonly #calls: readonly TwinCall[];
  readonly #strandedMs: number;
  readonly #wrongSince = new Map<string, number>();
  readonly #violations = new Set<string>();
  readonly #streams = new Map<TwinCall, OpenStream>();
  readonly #sessions = new Map<string, TwinSession>();
  readonly #names = new Map<SimulatedProcess, string>();
  /** Sockets of the calls of each process, and when they last became fewer. */
  readonly #ownSockets = new Map<SimulatedProcess, { count: number; fellAt: number }>();
  readonly #seenAt = new WeakMap<object, number>();

  /** @param calls may grow */
  constructor(world: World, story: Story, calls: readonly TwinCall[]) {
    this.#world = world;
    this.#calls = calls;
    this.#strandedMs = strangerMs + (isJournalLost(story) ? stalledMs : 0);
  }

  get violations(): readonly string[] {
    return [...this.#violations];
  }

  /** For as long as the clock is moved. */
  start(): void {
    this.#world.clock.setTimeout(() => {
      this.#inspect();
      this.start();
    }, everyMs);
  }

  #inspect(): void {
    for (const process of this.#world.living) this.#inspectProcess(process);
    for (const call of this.#calls) this.#inspectStream(call);
  }

  #inspectProcess(process: SimulatedProcess): void {
    const { assembly, clock, idleTimers } = process;
    const name = this.#nameOf(process);
    let ownSockets = 0;
    for (const [callId, parts] of assembly.live.all()) {
      ownSockets += parts.openLines + parts.openSessions;
      const isStray = assembly.registry.get(callId) === undefined;
      this.#lasts(
        isStray,
        strangerMs,
        'I4',
        () => `${name} has parts of ${callId}, which does not live there`,
      );
      this.#inspectParts(parts, callId, name);
    }
    const oldSockets = process.openSockets.filter((socket) => this.#isOld(socket)).length;
    const isParting = this.#isParting(process, ownSockets);
    const isStrange = oldSockets > ownSockets && !isParting;
    this.#lasts(isStrange, closingMs, 'I5', () => `${name} has open sockets that are no call's`);
    // Streams that came here at once are about to be their calls'.
    const size = Math.max(assembly.registry.size, process.streams.size);
    this.#demand(
      clock.pendingTimers <= idleTimers + mostTimersPerCall * Math.max(1, size),
      'I9',
      () => `${name} has ${clock.pendingTimers} timers and ${size} calls`,
    );
    for (const call of assembly.registry.calls()) this.#inspectCall(call, name);
  }

  #inspectParts({ bridge, conversation, openSessions }: LiveCall, callId: string, name: string): void {
    const { heldBytes } = bridge.quality();
    this.#demand(
      heldBytes <= mostAudioBytes,
      'I9',
      () => `${callId} in ${name} holds ${heldBytes} bytes of audio`,
    );
    const { length } = conversation.lines;
    this.#demand(
      length <= lineLimit,
      'I9',
      () => `${callId} in ${name} holds ${length} lines of its conversation`,
    );
    this.#lasts(
      openSessions > 2,
      thirdSessionMs,
      'I9',
      () => `${callId} in ${name} has more than two sessions`,
    );
  }

  #inspectCall(call: Call, name: string): void {
    const { callId, state, queuedEntries } = call;
    const { snapshot, due } = state;
    this.#demand(
      queuedEntries <= queueLimit,
      'I9',
      () => `${callId} in ${name} has ${queuedEntries} entries queued`,
    );
    this.#demand(due.size <= mostTimersOfCall, 'I9', () => `${callId} in ${name} has ${due.size} timers`);
    const { stream, model } = snapshot.context;
    const open = this.#calls.find(({ sid }) => sid === callId);
    const isDead = snapshot.hasTag('streaming') && open !== undefined && this.#streamOf(open) !== stream.id;
    this.#lasts(isDead, deadStreamMs, 'I5', () => `${callId} in ${name} takes a stream for open that is not`);
    const isReady = snapshot.matches({ live: { model: 'ready' } });
    const isGone = isReady && this.#sessionWith(model.sessionId)?.closure !== null;
    this.#lasts(
      isGone,
      deadSessionMs,
      'I5',
      () => `${callId} in ${name} takes a session for open that is not`,
    );
  }

  /** A stream that Twilio has open is the one that some living process has joined. */
  #inspectStream(call: TwinCall): void {
    const open = this.#streamOf(call);
    const isJoined = this.#world.living.some(({ assembly }) => {
      const state = assembly.registry.get(call.sid)?.state;
      return state?.snapshot.hasTag('streaming') && state.snapshot.context.stream.id === open;
    });
    const isStranded = open !== null && !call.hasEnded && !isJoined;
    const limitMs = this.#strandedMs + unseenMs(call);
    this.#lasts(isStranded, limitMs, 'I5', () => `${call.sid} has a stream open that nobody has joined`);
  }

  /** Each socket by itself: where one follows another, none of them need be there for long. */
  #isOld(socket: object): boolean {
    const now = this.#world.clock.monotonic();
    const seenAt = this.#seenAt.get(socket) ?? now;
    this.#seenAt.set(socket, seenAt);
    return now - seenAt > strangerMs;
  }

  /** Calls that leave one after the other have sockets that close one after the other. */
  #isParting(process: SimulatedProcess, ownSockets: number): boolean {
    const now = this.#world.clock.monotonic();
    const before = this.#ownSockets.get(process) ?? { count: 0, fellAt: Number.NEGATIVE_INFINITY };
    const fellAt = ownSockets < before.count ? now : before.fellAt;
    this.#ownSockets.set(process, { count: ownSockets, fellAt });
    return now - fellAt <= closingMs;
  }

  #nameOf(process: SimulatedProcess): string {
    const name = this.#names.get(process) ?? `${process.instance} (${process.options.pid})`;
    this.#names.set(process, name);
    return name;
  }

  #streamOf(call: TwinCall): string | null {
    const stream = this.#streams.get(call) ?? new OpenStream(call);
    this.#streams.set(call, stream);
    return stream.id;
  }

  #sessionWith(id: string | null): TwinSession | undefined {
    const { sessions } = this.#world.openai;
    if (id !== null && !this.#sessions.has(id))
      for (const each of sessions) this.#sessions.set(each.id, each);
    return id === null ? undefined : this.#sessions.get(id);
  }

  #demand(holds: boolean, invariant: string, words: () => string): void {
    if (!holds) this.#violations.add(`${invariant}: ${words()}`);
  }

  /** The words name what it is that lasts: each is counted by itself. */
  #lasts(isWrong: boolean, limitMs: number, invariant: string, inWords: () => string): void {
    if (!isWrong && this.#wrongSince.size === 0) return;
    const words = inWords();
    if (!isWrong) {
      this.#wrongSince.delete(words);
      return;
    }
    const now = this.#world.clock.monotonic();
    const since = this.#wrongSince.get(words) ?? now;
    this.#wrongSince.set(words, since);
    this.#demand(now - since <= limitMs, invariant, () => `${words}, for longer than ${limitMs} ms`);
  }
}

/** How long Twilio itself does not see that a stream of the call is dead. */
const unseenMs = ({ faults: { streams = [] } }: TwinCall): number =>
  Math.max(0, ...streams.map((fault) => (fault.fault === 'halfOpen' ? (fault.noticedAfterMs ?? 0) : 0)));

/** The stream that is open by Twilio's account of the call. */
class OpenStream {
  readonly #call: TwinCall;
  #readEvents = 0;
  #id: string | null = null;

  constructor(call: TwinCall) {
    this.#call = call;
  }

  get id(): string | null {
    const { events } = this.#call;
    for (; this.#readEvents < events.length; this.#readEvents++) {
      const event = events[this.#readEvents];
      if (event?.event === 'streamStarted') this.#id = event.streamSid;
      else if (event?.event === 'streamEnded' && event.streamSid === this.#id) this.#id = null;
    }
    return this.#id;
  }
}
