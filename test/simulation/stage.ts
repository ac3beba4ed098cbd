/**
 * Owns: making a story happen: its world, its calls, and each fault at its moment.
 * Does not own: what must hold afterwards (`verdict.ts`).
 */
import type { TwinCall } from '../../src/twin/twilio/call/call.ts';
import type { CallPlan } from '../../src/twin/twilio/call/call-order.ts';
import type { CallFaults } from '../../src/twin/twilio/faults.ts';
import { Inspector } from './inspector.ts';
import type { Level } from './level.ts';
import type { SimulatedProcess } from './process.ts';
import { enter, Outside, type Scene, sceneAgent, sceneCaller, scenes } from './scene.ts';
import { type FaultOn, faultsOn, type Story, twinFaultOf } from './story.ts';
import { faultInWords } from './words.ts';
import { World } from './world.ts';

const callEveryMs = 1_000;

/** Nothing of a story takes longer, whatever goes wrong in it. */
const longestMs = 900_000;

/** After the last call is over: for sockets that were left half-open, and what only a wait brings to light. */
const lingerMs = { calm: 3_000, troubled: 30_000 } as const;

/** How long before the end of a short session the next one is opened. */
const rollOverMs = 10_000;

/** Far ends of transfers talk so long. */
const talkMs = 8_000;

export const sceneOf = (story: Story): Scene =>
  faultsOn(story, 'transfer').length > 0 ? scenes.transfer : scenes.ticket;

/** Something that went wrong, when it did. */
export interface Strike {
  /** By the wall clock of the world. */
  at: number;
  words: string;
}

type Restart =
  FaultOn<'process'> extends infer Each ? (Each extends { restart: infer R } ? R : never) : never;

export class Stage {
  readonly story: Story;
  readonly world: World;
  readonly outside: Outside;
  readonly calls: TwinCall[] = [];
  readonly strikes: Strike[] = [];
  readonly inspector: Inspector;
  /** The process that stands where the n-th one stood at the start. */
  readonly #slots: SimulatedProcess[];
  readonly #restarts = new Map<SimulatedProcess, { slot: number; restart: Restart }>();
  #newNames = 0;

  private constructor(story: Story, world: World) {
    this.story = story;
    this.world = world;
    this.outside = new Outside(world.clock);
    this.inspector = new Inspector(world, story, this.calls);
    this.#slots = [...world.processes];
    const isNow = ({ afterMs, forMs }: { afterMs: number; forMs: number }): boolean => {
      const now = world.clock.monotonic();
      return afterMs <= now && now < afterMs + forMs;
    };
    world.webhookTrouble = () => faultsOn(story, 'webhooks').find(isNow)?.trouble ?? null;
    world.restTrouble = () => faultsOn(story, 'rest').find(isNow)?.trouble ?? null;
    world.onDied = (dead) => this.#noteDeath(dead);
  }

  static async set(story: Story, level: Level): Promise<Stage> {
    const sessions = faultsOn(story, 'session');
    const [cap] = faultsOn(story, 'cap');
    const world = await World.open({
      brain: sceneOf(story).brain,
      agent: sceneAgent,
      seed: story.seed,
      level,
      hosts: story.hosts,
      policy: story.policy,
      fallback: story.fallback,
      ...(cap && { sessionMaximumMs: cap.sessionMs, settings: { rollOverMs } }),
      modelFaults: (nth) => sessions.filter(({ connection }) => connection === nth).map(({ fault }) => fault),
    });
    return new Stage(story, world);
  }

  /** Places the calls, lets the faults come, and ends when every call is over. Rejects where one never is. */
  async play(): Promise<void> {
    enter(this.outside);
    this.#arm();
    this.inspector.start();
    const { clock } = this.world;
    for (let call = 0; call < this.story.calls; call++)
      clock.setTimeout(() => this.calls.push(this.world.place(this.#planOf(call))), call * callEveryMs);
    await clock.advance((this.story.calls - 1) * callEveryMs + 1);
    const { faults } = this.story;
    await this.world.finish(this.calls, longestMs, faults.length > 0 ? lingerMs.troubled : lingerMs.calm);
    await this.#awaitJournal();
  }

  /** What was lost with a journal that was away is found once it is back, by a process whose clock is right. */
  async #awaitJournal(): Promise<void> {
    const { clock } = this.world;
    const stalls = faultsOn(this.story, 'journal').filter(({ trouble }) => trouble === 'stall');
    if (stalls.length === 0) return;
    const backAt = Math.max(0, ...stalls.map(({ afterMs, forMs }) => afterMs + forMs));
    if (clock.monotonic() < backAt + lingerMs.troubled)
      await clock.advance(backAt + lingerMs.troubled - clock.monotonic());
    for (const process of this.world.living) process.clock.mend();
    await clock.advance(lingerMs.calm);
  }

  #planOf(call: number): CallPlan {
    const callbacks = faultsOn(this.story, 'callbacks').find((fault) => fault.call === call);
    const instructions = faultsOn(this.story, 'instructions').find((fault) => fault.call === call);
    const faults: CallFaults = {
      streams: faultsOn(this.story, 'stream')
        .filter((fault) => fault.call === call)
        .map(twinFaultOf),
      ...(callbacks && { callbacks }),
      ...(instructions && { duplicateWebhooks: instructions.duplicate }),
    };
    // Its far side may not note anything yet while it is being made, and a caller says nothing by then.
    const script = sceneCaller(call, (event) => this.calls[call]?.note(event));
    const [transfer] = faultsOn(this.story, 'transfer');
    const outcome = transfer?.outcome ?? 'answered';
    const dial = outcome === 'answered' ? { outcome, talkMs } : { outcome };
    return { script, faults, dials: [dial] };
  }

  #arm(): void {
    const { clock } = this.world;
    const now = clock.monotonic();
    for (const fault of faultsOn(this.story, 'journal')) {
      const from = now + fault.afterMs;
      const { trouble, forMs, delayMs } = fault;
      for (const [slot, process] of this.#slots.entries())
        if (fault.process === 'every' || fault.process === slot)
          process.journalHandle.addFault({ trouble, delayMs, from, until: from + forMs });
      this.#later(fault.afterMs, () => this.#note(faultInWords(fault)));
    }
    for (const fault of faultsOn(this.story, 'process')) this.#armProcess(fault);
  }

  #armProcess(fault: FaultOn<'process'>): void {
    if (fault.fault === 'clockJump') {
      this.#later(fault.afterMs, () => {
        this.#slots[fault.process]?.clock.jump(fault.byMs);
        this.#note(faultInWords(fault));
      });
    } else if (fault.fault === 'drain') {
      this.#later(fault.afterMs, () =>
        this.#strikeProcess(fault, (process) => process.drain(fault.withinMs)),
      );
    } else if ('afterMs' in fault.when) {
      const { noticedAfterMs, when } = fault;
      this.#later(when.afterMs, () => this.#strikeProcess(fault, (process) => process.kill(noticedAfterMs)));
    } else {
      const process = this.#slots[fault.process];
      if (process === undefined) return;
      this.#restarts.set(process, { slot: fault.process, restart: fault.restart });
      process.crashAt(fault.when, fault.noticedAfterMs);
    }
  }

  #strikeProcess(
    fault: FaultOn<'process'> & { restart: Restart },
    strike: (process: SimulatedProcess) => void,
  ): void {
    const process = this.#slots[fault.process];
    if (!process?.isAlive) return;
    this.#restarts.set(process, { slot: fault.process, restart: fault.restart });
    this.#note(faultInWords(fault));
    strike(process);
  }

  #noteDeath(dead: SimulatedProcess): void {
    this.#note(`The process ${dead.instance} (${dead.options.pid}) is gone.`);
    const { slot, restart } = this.#restarts.get(dead) ?? { slot: 0, restart: null };
    if (!restart) return;
    const name = restart.name === 'same' ? dead.instance : `fresh${++this.#newNames}`;
    this.#later(restart.afterMs, () => void this.#restart(slot, name, dead.options.host));
  }

  async #restart(slot: number, name: string, host: string): Promise<void> {
    this.#slots[slot] = await this.world.clock.during(this.world.startProcess(name, host));
    this.#note(`The process ${name} (${this.#slots[slot]?.options.pid}) has started.`);
  }

  #later(delayMs: number, work: () => void): void {
    this.world.clock.setTimeout(work, delayMs);
  }

  #note(words: string): void {
    this.strikes.push({ at: this.world.clock.now(), words });
  }
}
