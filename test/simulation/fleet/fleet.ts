/**
 * Owns: a fleet on the virtual clock: many instances on one journal behind a balancer, calls that come all the time, and
 * what strikes them; every call judged by every invariant once it is over, and forgotten then.
 * Does not own: what strikes when (`plan.ts`), the figures in words (`fleet-words.ts`).
 */

import { sharedPulse } from '../../../src/service/pulse.ts';
import type { TwinCall } from '../../../src/twin/twilio/call/call.ts';
import { ConnectFailure } from '../../../src/twin/twilio/http/http-message.ts';
import { checkEffects, checkNoLeak, readEnd } from '../check-end.ts';
import { checkOneWriter, checkReplay, readLog, type SimulatedLog } from '../check-log.ts';
import { checkSaidOnce, checkSilenceAfterInterrupt } from '../check-sound.ts';
import { checkWords } from '../check-words.ts';
import { Inspector } from '../inspector.ts';
import type { SimulatedProcess } from '../process.ts';
import { enter, mostCalls, Outside, repeatableReplies, sceneAgent, sceneCaller, scenes } from '../scene.ts';
import type { Story } from '../story.ts';
import { demand } from '../violation.ts';
import { World } from '../world.ts';
import { LeastCalls } from './balancer.ts';
import { type Bearing, type CallView, viewOf } from './call-view.ts';
import { LoadMeter } from './load-meter.ts';
import { lastReconnectMs, Machines } from './machines.ts';
import type { FleetPlan, Strike } from './plan.ts';
import { addTo, type Blow, blowAt, wrongAdoptions } from './takeovers.ts';

/** Calls are judged so long after they are over: what comes late has come by then. */
const lingerMs = 20_000;
const judgeEveryMs = 5_000;

/** The balance is looked at just before a strike, and so long after it. */
const settledMs = 15_000;

/** Nothing takes longer, whatever strikes. */
const longestMs = 600_000;

/** No two instances beat at the same moment. */
const startEveryMs = 37;

/** A process takes new calls for so long after its journal has gone, and turns them away in vain then. */
const unawareMs = 2_500;

const { brain, replies } = scenes.ticket;

/** Calls of each instance that works. */
export interface Balance {
  name: string;
  before: readonly number[];
  after: readonly number[];
}

export interface FleetVerdict {
  plan: FleetPlan;
  lastedMs: number;
  callMs: number;
  blows: readonly Blow[];
  balances: readonly Balance[];
  meter: LoadMeter;
  /** Instances at each look, in the mean. */
  instances: number;
  completed: number;
  /** While the journal was away from all instances, or from one that did not know it yet. */
  declined: number;
  lost: readonly string[];
  wrong: readonly string[];
  violations: readonly string[];
}

export class Fleet {
  readonly #plan: FleetPlan;
  readonly #world: World;
  readonly #machines: Machines;
  readonly #outside: Outside;
  readonly #inspector: Inspector;
  readonly #meter = new LoadMeter();
  readonly #blows: Blow[] = [];
  readonly #balances: { name: string; before: number[]; after: number[] }[] = [];
  /** Not judged yet. */
  readonly #calls: TwinCall[] = [];
  readonly #placed = new Map<TwinCall, number>();
  readonly #overSince = new Map<TwinCall, number>();
  readonly #outages: { from: number; until: number }[] = [];
  readonly #lost: string[] = [];
  readonly #wrong: string[] = [];
  readonly #violations: string[] = [];
  readonly #bearing: Bearing;
  readonly #startedAt: number;
  #completed = 0;
  #declined = 0;
  #callMs = 0;
  #looks = { count: 0, instances: 0 };
  #striking = 0;

  private constructor(plan: FleetPlan, world: World, machines: Machines) {
    this.#plan = plan;
    this.#world = world;
    this.#machines = machines;
    this.#startedAt = world.clock.now();
    this.#outside = new Outside(world.clock);
    this.#bearing = { journal: this.#meter.watch(world.journal, () => world.clock.monotonic()), shadows: [] };
    this.#inspector = new Inspector(withoutFrozen(world), calm(plan), this.#calls);
  }

  static async play(plan: FleetPlan): Promise<FleetVerdict> {
    // The journal's engine, the balancer and the machines are there before the world is.
    const around: { machines?: Machines; balancer?: LeastCalls } = {};
    const nobody = async (): Promise<never> => Promise.reject(new ConnectFailure('there is no balancer yet'));
    const world = await World.open({
      brain,
      agent: sceneAgent,
      seed: plan.seed,
      level: 'spans',
      hosts: [],
      pulse: sharedPulse,
      isConnected: (instance) => around.machines?.isConnected(instance) ?? null,
      balancer: {
        serve: (request, processes) => around.balancer?.serve(request, processes) ?? nobody(),
        streamTaker: (url, processes) => around.balancer?.streamTaker(url, processes) ?? null,
      },
      mostKnownCalls: 4 * mostCalls,
    });
    around.balancer = new LeastCalls(world.clock);
    const machines = new Machines(world);
    around.machines = machines;
    const fleet = new Fleet(plan, world, machines);
    for (let index = 0; index < plan.instances; index++) {
      await machines.start();
      await world.clock.advance(startEveryMs);
    }
    return await fleet.#run();
  }

  async #run(): Promise<FleetVerdict> {
    const { clock } = this.#world;
    const { calls, callEveryMs, strikes } = this.#plan;
    enter(this.#outside);
    this.#inspector.start();
    for (let index = 0; index < calls; index++)
      clock.setTimeout(() => this.#place(index), 1_000 + index * callEveryMs);
    for (const strike of strikes) clock.setTimeout(() => this.#strike(strike), strike.atMs);
    clock.setTimeout(() => this.#look(), judgeEveryMs);
    await clock.advance(1_000 + calls * callEveryMs);
    const isDone = (): boolean => this.#calls.length === 0 && this.#striking === 0;
    if (!(await clock.runUntil(isDone, longestMs)))
      for (const { sid, status } of this.#calls) this.#lost.push(`${sid} never ended: ${status} at Twilio`);
    const lastedMs = clock.monotonic();
    await clock.advance(lingerMs);
    await this.#collect('', () => checkNoLeak(this.#world));
    await this.#world.close();
    return this.#verdict(lastedMs);
  }

  #verdict(lastedMs: number): FleetVerdict {
    return {
      plan: this.#plan,
      lastedMs,
      callMs: this.#callMs,
      blows: this.#blows,
      balances: this.#balances,
      meter: this.#meter,
      instances: this.#looks.instances / Math.max(1, this.#looks.count),
      completed: this.#completed,
      declined: this.#declined,
      lost: this.#lost,
      wrong: this.#wrong,
      violations: [...this.#violations, ...this.#inspector.violations],
    };
  }

  #place(index: number): void {
    let call: TwinCall | null = null;
    const script = sceneCaller(index % mostCalls, (event) => call?.note(event));
    call = this.#world.place({ script, faults: {} });
    this.#calls.push(call);
    this.#placed.set(call, index);
  }

  #strike(strike: Strike): void {
    const balance = { name: strike.strike, before: this.#sizes(), after: [] as number[] };
    this.#balances.push(balance);
    this.#striking += 1;
    void this.#carryOut(strike).then(async () => {
      await this.#machines.wait(settledMs);
      balance.after.push(...this.#sizes());
      this.#striking -= 1;
    });
  }

  async #carryOut(strike: Strike): Promise<void> {
    const machines = this.#machines;
    const { clock } = this.#world;
    const note = (name: string, process: SimulatedProcess): void =>
      void this.#blows.push(blowAt(this.#world, name, process));
    if (strike.strike === 'restart')
      return await machines.restart(strike.drainMs, (old) => note('restart', old));
    if (strike.strike === 'outage') {
      this.#outages.push({ from: clock.now(), until: clock.now() + strike.forMs + lastReconnectMs });
      machines.outage(strike.forMs);
      return await machines.wait(strike.forMs);
    }
    const victim = machines.busiest();
    note(strike.strike, victim);
    if (strike.strike === 'cutOff') this.#outages.push({ from: clock.now(), until: clock.now() });
    this.#bearing.shadows.push({ instance: victim.instance, atMs: clock.monotonic() });
    if (strike.strike === 'kill') machines.kill(victim);
    else if (strike.strike === 'vanish') machines.vanish(victim);
    else if (strike.strike === 'freeze') machines.freeze(victim, strike.forMs);
    else machines.cutOff(victim, strike.forMs);
  }

  #sizes(): number[] {
    return this.#machines.working.map(({ assembly }) => assembly.registry.size);
  }

  /** Judges what is over. */
  #look(): void {
    const { clock } = this.#world;
    this.#looks.count += 1;
    this.#looks.instances += this.#world.living.length;
    const now = clock.monotonic();
    for (const call of this.#calls)
      if (!this.#overSince.has(call) && this.#world.isOver(call)) this.#overSince.set(call, now);
    const due = this.#calls.filter((call) => now - (this.#overSince.get(call) ?? now) >= lingerMs);
    for (const call of due) this.#calls.splice(this.#calls.indexOf(call), 1);
    void this.#judgeAll(due);
    clock.setTimeout(() => this.#look(), judgeEveryMs);
  }

  async #judgeAll(calls: readonly TwinCall[]): Promise<void> {
    for (const call of calls) await this.#judge(call);
    const gone = new Set(calls.map(({ sid }) => sid));
    const oldest = Math.min(this.#world.clock.now(), ...this.#calls.map(placedAt));
    this.#world.forget((callId) => gone.has(callId), oldest);
  }

  async #judge(call: TwinCall): Promise<void> {
    const log = await readLog(this.#world, call.sid);
    const view = viewOf(this.#world, call, log, this.#bearing);
    this.#callMs += lengthOf(call);
    for (const blow of this.#blows) addTo(blow, call, log);
    this.#wrong.push(...wrongAdoptions(this.#world, this.#machines, log));
    await this.#collect(call.sid, () => this.#classify(call, log));
    await this.#collect(call.sid, () => checkReplay(view, log));
    await this.#collect(call.sid, () => checkOneWriter(view, log));
    await this.#collect(call.sid, () => checkEffects(this.#outside, call, log));
    await this.#collect(call.sid, () => this.#checkSound(view, call, log));
  }

  async #checkSound(view: CallView, call: TwinCall, log: SimulatedLog): Promise<void> {
    checkSaidOnce(view, call, log, replies, repeatableReplies);
    checkSilenceAfterInterrupt(view, call, log, repeatableReplies);
    checkWords(view, log, (this.#placed.get(call) ?? 0) % mostCalls);
  }

  #classify(call: TwinCall, log: SimulatedLog): void {
    const at = placedAt(call);
    if (log.entries.length === 0) {
      const isExcused = this.#outages.some(
        ({ from, until }) => from - unawareMs <= at && at <= until + unawareMs,
      );
      if (isExcused) this.#declined += 1;
      else this.#lost.push(`${call.sid}, which came after ${at - this.#startedAt} ms, was turned away`);
      return;
    }
    const { reason, isConversation } = readEnd(call, log);
    if (isConversation) this.#completed += 1;
    else this.#lost.push(`${call.sid} ended with ${reason}`);
    demand(isConversation, 'I5', () => `nothing explains the end ${reason}`);
  }

  async #collect(callId: string, check: () => unknown): Promise<void> {
    try {
      await check();
    } catch (error) {
      this.#violations.push(`${callId} ${error instanceof Error ? error.message : error}`);
    }
  }
}

const calm = ({ seed }: FleetPlan): Story => ({
  seed,
  hosts: [],
  policy: 'action',
  calls: 0,
  fallback: 'hangUp',
  faults: [],
});

/** What is frozen has not noticed anything, and cannot. */
function withoutFrozen(world: World): World {
  return Object.create(world, {
    living: { get: () => world.processes.filter(({ isAlive, isFrozen }) => isAlive && !isFrozen) },
  }) as World;
}

const placedAt = ({ events }: TwinCall): number => events[0]?.at ?? 0;

const lengthOf = (call: TwinCall): number => (call.events.at(-1)?.at ?? 0) - placedAt(call);
