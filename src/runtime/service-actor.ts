/**
 * Owns: the process's own actor: it steps the service chart with facts and has its commands performed.
 * Does not own: what a phase or a drain does.
 */
import type { SnapshotFrom } from 'xstate';
import {
  type ServiceCommand,
  type ServiceEvent,
  serviceCommands,
  serviceMachine,
} from '../machines/service.ts';
import type { Clock } from './ports/clock.ts';
import { createStepper } from './stepper.ts';
import { Timers } from './timers.ts';

export type ServiceSnapshot = SnapshotFrom<typeof serviceMachine>;

type WithoutAt<Event> = Event extends unknown ? Omit<Event, 'at'> : never;
export type ServiceFact = WithoutAt<ServiceEvent>;

export interface ServiceWorld {
  clock: Clock;
  perform(command: ServiceCommand): void;
  observe(snapshot: ServiceSnapshot, fact: ServiceFact | null): void;
}

const stepper = createStepper<typeof serviceMachine, ServiceCommand>(
  serviceMachine,
  serviceCommands,
  undefined,
);

export class ServiceActor {
  readonly #world: ServiceWorld;
  readonly #timers: Timers;
  #due = new Map<string, number>();
  #snapshot: ServiceSnapshot;
  #first: ServiceCommand[];

  constructor(world: ServiceWorld) {
    this.#world = world;
    this.#timers = new Timers(world.clock, (timer) => {
      this.#due.delete(timer);
      this.signal({ type: timer as `xstate.after.${string}` });
    });
    this.#snapshot = stepper.begin(undefined);
    this.#first = stepper.settle(this.#due, world.clock.now());
  }

  get snapshot(): ServiceSnapshot {
    return this.#snapshot;
  }

  /** Performs what the initial state asks for. */
  start(): void {
    this.#follow(null, this.#first.splice(0));
  }

  signal(fact: ServiceFact): void {
    if (this.#snapshot.status !== 'active') return;
    const event = { ...fact, at: this.#world.clock.now() } as ServiceEvent;
    this.#snapshot = stepper.advance(this.#snapshot, event);
    this.#follow(fact, stepper.settle(this.#due, event.at));
  }

  #follow(fact: ServiceFact | null, commands: readonly ServiceCommand[]): void {
    if (this.#snapshot.status !== 'active') this.#due.clear();
    this.#timers.arm(this.#due, this.#world.clock.now());
    this.#world.observe(this.#snapshot, fact);
    for (const command of commands) this.#world.perform(command);
  }
}
