/**
 * Owns: several instances that create, claim, append to, read and let go of one call, as real registries and claims over
 * a journal whose every question and answer waits for a scheduler, and what came of it.
 * Does not own: the scheduler, the journals, what must hold (`claim-protocol-faults.ts`).
 *
 * Whether anybody else is alive is no part of the protocol: here calls of the living are adopted, too.
 */
import fc from 'fast-check';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import type { Call, ObservedStep } from '../../src/runtime/call.ts';
import { readEntries } from '../../src/runtime/history.ts';
import type { Line } from '../../src/runtime/ports/carrier.ts';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import { HoldfastError, RetryError } from '../../src/runtime/ports/errors.ts';
import type { CallRow, Commit, Journal } from '../../src/runtime/ports/journal.ts';
import { Registry } from '../../src/runtime/registry.ts';
import { Claims } from '../../src/service/claims.ts';
import { mayAdmit } from '../../src/service/desk.ts';
import type { LiveCalls } from '../../src/service/live-calls.ts';
import {
  answered,
  callerStarts,
  callerStops,
  created,
  modelOpened,
  replyStarted,
  toolRequested,
} from '../machines/support/facts.ts';

export const instanceNames = ['one', 'two', 'three'] as const;

const facts: readonly Draft[] = [
  callerStarts,
  callerStops,
  modelOpened(1),
  replyStarted(),
  toolRequested('tool1'),
  toolRequested('tool2'),
];

export type Act = { who: number } & (
  | { act: 'create' | 'adopt' | 'read' | 'release' | 'verify' | 'die' }
  | { act: 'stream'; attempt: number }
  | { act: 'append'; fact: number }
);

/** How the journal takes the n-th append: the outcome of two of them is not told. */
export type Fate = 'store' | 'refuse' | 'loseReply';

const who = fc.nat(instanceNames.length - 1);
const plain = (act: 'create' | 'adopt' | 'read' | 'release' | 'verify' | 'die') =>
  fc.record({ who, act: fc.constant(act) });
const stream = fc.record({
  who,
  act: fc.constant('stream' as const),
  attempt: fc.integer({ min: 1, max: 4 }),
});
const append = fc.record({ who, act: fc.constant('append' as const), fact: fc.nat(facts.length - 1) });

export const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: plain('create') },
    { weight: 5, arbitrary: stream },
    { weight: 3, arbitrary: plain('adopt') },
    { weight: 6, arbitrary: append },
    { weight: 1, arbitrary: plain('read') },
    { weight: 1, arbitrary: plain('release') },
    { weight: 1, arbitrary: plain('verify') },
    { weight: 1, arbitrary: plain('die') },
  ),
  { minLength: 1, maxLength: 16, size: 'max' },
);

export const fates: fc.Arbitrary<Fate[]> = fc.array(
  fc.constantFrom<Fate[]>('store', 'store', 'store', 'store', 'refuse', 'loseReply'),
  { maxLength: 8 },
);

/** Waits that are long are those of the chart: none of them ends here. */
const longestWaitMs = 1_000;
const patientSettings = { modelBackoffMs: 5_000, holdingAfterMs: 5_000 };
const startedAt = Date.UTC(2026, 0, 1);

const never = (): Promise<never> => new Promise(() => undefined);

interface Happening {
  instance: Instance;
  call: Call;
  what: 'stepped' | 'performed' | 'lost';
  key: string;
}

/** What happened, in its order. */
class Diary {
  readonly happenings: Happening[] = [];
  readonly steps: { instance: Instance; step: ObservedStep }[] = [];
  /** Entries of which a process was told that they are durable. */
  readonly acknowledged: Entry[] = [];
  /** What came of each act, in the order in which they were settled. */
  readonly settled: { act: Act; outcome: string }[] = [];
  appends = 0;
  /** What the journal has been asked and has not answered. */
  readonly underWay = new Set<Promise<unknown>>();
}

export interface Surroundings {
  scheduler: fc.Scheduler;
  callId: string;
  fates: readonly Fate[];
  diary: Diary;
}

/** A handle on a journal: the scheduler decides when each question reaches it, and when its answer is heard. */
function schedule(journal: Journal, instance: Instance): Journal {
  const { scheduler, fates: forecast, diary } = instance.around;
  const ask = async <Answer>(label: string, work: () => Promise<Answer>): Promise<Answer> => {
    await scheduler.schedule(Promise.resolve(), `${instance.name} asks: ${label}`);
    if (instance.isDead) return await never();
    const answer = settled(work());
    diary.underWay.add(answer);
    void answer.then(() => diary.underWay.delete(answer));
    const outcome = await scheduler.schedule(answer, `${instance.name} hears: ${label}`);
    if (instance.isDead) return await never();
    if ('error' in outcome) throw outcome.error;
    return outcome.answer;
  };
  const take = async (commit: Commit): Promise<void> => {
    const fate = forecast[diary.appends++] ?? 'store';
    if (fate !== 'refuse') await journal.append(commit);
    if (fate !== 'store') throw new RetryError('journal.unavailable', fate);
  };
  const seqOf = ({ entries }: Commit): string => `${entries[0]?.seq}-${entries.at(-1)?.seq}`;
  return {
    ...journal,
    append: async (commit) => {
      await ask(`append ${seqOf(commit)}`, () => take(commit));
      diary.acknowledged.push(...(commit.entries as unknown as Entry[]));
    },
    read: (callId, options) => ask('read', () => journal.read(callId, options)),
    readAfter: (callId, seq, limit) => ask('readAfter', () => journal.readAfter(callId, seq, limit)),
    readPayloads: (callId) => ask('readPayloads', () => journal.readPayloads(callId)),
    list: (query) => ask('list', () => journal.list(query)),
  };
}

type Outcome<Answer> = { answer: Answer } | { error: unknown };

/** A scheduler takes no rejection. */
const settled = <Answer>(work: Promise<Answer>): Promise<Outcome<Answer>> =>
  work.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );

/** As `LiveCalls`: which entries the parts of a call know. */
class Parts {
  seq: number;

  constructor(seq: number) {
    this.seq = seq;
  }

  enter(_line: Line): void {}
}

class PartsByCall implements Pick<LiveCalls, 'get' | 'release'> {
  readonly #parts = new Map<string, Parts>();
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get(callId: string): never {
    return this.#parts.get(callId) as never;
  }

  async prepare(callId: string): Promise<Parts> {
    const present = this.#parts.get(callId);
    if (present) return present;
    const [entries] = await Promise.all([
      readEntries(this.#journal, callId),
      this.#journal.readPayloads(callId),
    ]);
    return this.#parts.get(callId) ?? this.begin(callId, entries.length);
  }

  begin(callId: string, seq: number): Parts {
    const parts = new Parts(seq);
    this.#parts.set(callId, parts);
    return parts;
  }

  observe({ call, entry }: ObservedStep): void {
    const parts = this.#parts.get(call.callId);
    if (parts) parts.seq = entry.seq;
  }

  release(callId: string): void {
    this.#parts.delete(callId);
  }
}

const line = { streamId: 'line' } as Line;

export class Instance {
  readonly name: string;
  readonly around: Surroundings;
  readonly registry: Registry;
  isDead = false;
  readonly #journal: Journal;
  readonly #claims: Claims;
  readonly #parts: PartsByCall;

  constructor(name: string, journal: Journal, around: Surroundings) {
    this.name = name;
    this.around = around;
    this.#journal = schedule(journal, this);
    this.#parts = new PartsByCall(this.#journal);
    const { diary } = around;
    const note = (call: Call, what: Happening['what'], key: string): void =>
      void diary.happenings.push({ instance: this, call, what, key });
    this.registry = new Registry(name, this.#journal, {
      clock: this.#clock(),
      perform: (call, command, key) => note(call, 'performed', `${command.type} ${key}`),
      observe: (step) => {
        this.#parts.observe(step);
        diary.steps.push({ instance: this, step });
        note(step.call, 'stepped', `${step.entry.seq}`);
      },
      lost: (call) => {
        note(call, 'lost', '');
        this.#parts.release(call.callId);
      },
      over: ({ callId }) => this.#parts.release(callId),
      refused: (_, fault) => {
        throw new Error(fault);
      },
    });
    this.#claims = new Claims(this.registry, this.#parts as unknown as LiveCalls);
  }

  /** Short waits end when the scheduler says so, and time is then what it has to be. */
  #clock(): Clock {
    const waiting = new Set<object>();
    const { scheduler } = this.around;
    let elapsedMs = 0;
    return {
      now: () => startedAt + elapsedMs,
      monotonic: () => elapsedMs,
      setTimeout: (callback, delayMs) => {
        const handle = {};
        if (delayMs > longestWaitMs) return handle;
        const dueAt = elapsedMs + delayMs;
        waiting.add(handle);
        void scheduler.schedule(Promise.resolve(), `${this.name} has waited`).then(() => {
          elapsedMs = Math.max(elapsedMs, dueAt);
          if (waiting.delete(handle) && !this.isDead) callback();
        });
        return handle;
      },
      clearTimeout: (handle) => void waiting.delete(handle as object),
    };
  }

  /** Resolves with what came of it, in a word. */
  async do(act: Act): Promise<string> {
    try {
      return await this.#do(act);
    } catch (error) {
      if (error instanceof HoldfastError) return error.code;
      throw error;
    }
  }

  async #do(act: Act): Promise<string> {
    const { callId } = this.around;
    switch (act.act) {
      case 'create':
        return await this.#create();
      case 'stream':
        return await this.#takeStream(act.attempt);
      case 'adopt':
        return await this.#adopt();
      case 'append':
        this.registry.get(callId)?.signal({ entry: facts[act.fact] as Draft });
        return 'signalled';
      case 'read':
        return `${(await this.registry.read(callId))?.seq}`;
      case 'verify':
        await this.registry.verify(callId);
        return 'verified';
      case 'release':
        return await this.#release();
      case 'die':
        return this.die();
    }
  }

  async #create(): Promise<string> {
    const { callId } = this.around;
    const entry = created(patientSettings, { carrierCallId: callId });
    if (!this.registry.get(callId)) this.#parts.begin(callId, 0);
    await this.registry.create(callId, { entry }, [answered]);
    return 'created';
  }

  /** As the desk does with a token that is good. */
  async #takeStream(attempt: number): Promise<string> {
    const { callId } = this.around;
    const started: Draft = { type: 'stream.started', streamId: `${this.name} ${attempt}`, attempt };
    const parts = await this.#claims.claim(callId, {
      claim: { why: 'stream', attempt },
      signals: [{ entry: started }],
      line,
      mayClaim: (state) => mayAdmit(state, attempt),
    });
    return parts ? 'claimed' : 'refused';
  }

  async #adopt(): Promise<string> {
    const [row] = await this.#journal.list({ callId: this.around.callId, live: true, limit: 1 });
    if (!row) return 'nothing';
    await this.#claims.adopt(row, this.name, () => !this.isDead);
    return 'adopted';
  }

  /** As a drain does with a call that has no stream. */
  async #release(): Promise<string> {
    const { callId } = this.around;
    const call = this.registry.get(callId);
    await call?.settled();
    if (!call || this.registry.get(callId) !== call) return 'gone';
    this.registry.abandon(callId);
    this.#parts.release(callId);
    return 'released';
  }

  die(): string {
    this.isDead = true;
    for (const call of this.registry.calls()) call.stop();
    this.registry.stop();
    return 'dead';
  }
}

export interface Played {
  callId: string;
  acts: readonly Act[];
  diary: Diary;
  journal: Journal;
  log: Entry[];
  row: CallRow | undefined;
  /** Instances in which the call lived in the end. */
  holders: readonly string[];
}

const eventLoopTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Until nothing waits for the scheduler any more. Between its choices every promise settles that can.
 *
 * @param isOrderly what the journal was asked is done before the next choice, so that it is done in the order in which it
 *   was asked; else a journal that takes its time has several questions at once
 */
async function drain(scheduler: fc.Scheduler, { underWay }: Diary, isOrderly: boolean): Promise<void> {
  await eventLoopTurn();
  while (scheduler.count() > 0) {
    await scheduler.waitNext(1);
    if (isOrderly) await Promise.all(underWay);
    await eventLoopTurn();
  }
}

export async function play(
  journals: readonly Journal[],
  drawn: readonly Act[],
  { scheduler, callId, fates: forecast }: Omit<Surroundings, 'diary'>,
  isOrderly = true,
): Promise<Played> {
  const diary = new Diary();
  const around = { scheduler, callId, fates: forecast, diary };
  const instances = instanceNames.map((name, at) => new Instance(name, journals[at] as Journal, around));
  for (const act of drawn) {
    const instance = instances[act.who] as Instance;
    const words = `${instance.name}: ${JSON.stringify(act)}`;
    void scheduler.schedule(Promise.resolve(), words).then(async () => {
      if (!instance.isDead) diary.settled.push({ act, outcome: await instance.do(act) });
    });
  }
  await drain(scheduler, diary, isOrderly);
  // Who has lost the call and had nothing to write looks, as every process does.
  for (const instance of instances) if (!instance.isDead) void instance.do({ who: 0, act: 'verify' });
  await drain(scheduler, diary, isOrderly);
  const [journal] = journals as [Journal];
  const log = await readEntries(journal, callId);
  const [row] = await journal.list({ callId, limit: 1 });
  const holders = instances.filter(({ registry }) => registry.get(callId)).map(({ name }) => name);
  for (const instance of instances) instance.registry.stop();
  return { callId, acts: drawn, diary, journal, log, row, holders };
}
