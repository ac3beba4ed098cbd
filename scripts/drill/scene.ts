/**
 * Owns: a drill that is under way: its calls, its clock, and what can be done to calls and processes.
 * Does not own: when it is done (`drills/`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../src/twin/openai/faults.ts';
import type { TwinSession } from '../../src/twin/openai/twin-session.ts';
import type { Random } from '../../src/twin/random.ts';
import { DrillCaller } from './caller.ts';
import { instructionsFor, phoneNumberOf } from './conversation.ts';
import type { Absence, DrillCall } from './evidence.ts';
import type { CallPlan, Policy } from './plan.ts';
import type { ServiceExit, ServiceProcess } from './service-process.ts';
import { type Stage, shopNumber } from './stage.ts';

export class Scene {
  readonly stage: Stage;
  readonly random: Random;
  readonly calls: DrillCall[] = [];
  readonly policyOf = new Map<number, Policy>();
  /** Processes that went away, in whatever way. */
  readonly absences: Absence[] = [];
  /** What the drill itself saw going wrong. */
  readonly complaints: string[] = [];
  readonly #startedAt = performance.now();

  constructor(stage: Stage, random: Random) {
    this.stage = stage;
    this.random = random;
  }

  /** Waits until so long after the drill began. */
  async until(ms: number): Promise<void> {
    await sleep(Math.max(0, this.#startedAt + ms - performance.now()));
  }

  between(from: number, until: number): number {
    return from + this.random() * (until - from);
  }

  /** Waits until a condition holds. False where it does not within the limit. */
  async when(condition: () => boolean, limitMs: number): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    while (!condition() && performance.now() < deadline) await sleep(20);
    return condition();
  }

  place(caller: number, policy: Policy, { faults, ...plan }: CallPlan): DrillCall {
    const party = new DrillCaller({ caller, ...plan });
    const handle = this.stage.twilio.placeCall({
      to: shopNumber,
      from: phoneNumberOf(caller),
      script: party,
      policy,
      ...(faults ? { faults } : {}),
    });
    const call: DrillCall = { caller, handle, party, struck: [] };
    this.calls.push(call);
    this.policyOf.set(caller, policy);
    return call;
  }

  service(instance: string): ServiceProcess {
    const service = this.stage.services.findLast((candidate) => candidate.instance === instance);
    if (!service) throw new Error(`there is no process ${instance}`);
    return service;
  }

  /** The process that holds most calls. */
  async busiest(): Promise<string> {
    const running = this.stage.services.filter(({ isRunning }) => isRunning);
    const loads = await Promise.all(running.map(async (service) => (await service.health())?.liveCalls ?? 0));
    return running[loads.indexOf(Math.max(...loads))]?.instance ?? 'one';
  }

  /** From now on the process does nothing, though its sockets are open. */
  freeze(instance: string): void {
    this.absences.push({ at: Date.now(), instance, mutesStream: true });
    this.service(instance).freeze();
  }

  /** From now on the process does not reach the database. Its callers hear it as before. */
  cutOff(instance: string): void {
    this.absences.push({ at: Date.now(), instance, mutesStream: false });
    this.stage.fleet.cutOff(instance);
  }

  /** `kill -9` */
  kill(instance: string): void {
    this.absences.push({ at: Date.now(), instance, mutesStream: true });
    this.service(instance).kill('SIGKILL');
  }

  /** `kill -9` of the worker that holds most calls. */
  async killBusiestWorker(instance: string): Promise<void> {
    const workers = await this.service(instance).workers();
    const [busiest] = workers.sort((one, other) => other.liveCalls - one.liveCalls);
    if (!busiest) throw new Error(`${instance} has no worker`);
    this.absences.push({ at: Date.now(), instance: busiest.instance, mutesStream: true });
    process.kill(busiest.pid, 'SIGKILL');
  }

  /** SIGTERM; resolves with the exit, which must come within the limit. */
  async terminate(instance: string, limitMs: number): Promise<ServiceExit> {
    const service = this.service(instance);
    service.kill('SIGTERM');
    const late = sleep(limitMs, null, { ref: false });
    const exit = await Promise.race([service.exited, late]);
    if (exit === null) this.complaints.push(`${instance} did not exit within ${limitMs} ms of SIGTERM`);
    else if (exit.code !== 0)
      this.complaints.push(`${instance} exited with ${exit.code ?? exit.signal}, not 0`);
    return exit ?? { code: null, signal: null };
  }

  /** The model sessions of a call that are open. */
  sessionsOf({ caller }: DrillCall): TwinSession[] {
    return this.openSessions.filter(({ settings }) => settings.instructions === instructionsFor(caller));
  }

  /** The model sessions of all calls that are open. */
  get openSessions(): TwinSession[] {
    return this.stage.openai.sessions.filter(
      ({ closure, settings }) =>
        closure === null && settings.instructions.startsWith(instructionsFor(0).slice(0, -2)),
    );
  }

  /** Does something to the model's sessions of a call, now. False where it has none. */
  strikeModel(call: DrillCall, fault: Fault): boolean {
    const sessions = this.sessionsOf(call);
    if (sessions.length === 0 || call.handle.hasEnded) return false;
    call.struck.push({ at: Date.now(), what: 'model', mutesStream: false });
    for (const session of sessions) session.inject(fault);
    return true;
  }
}
