/** Owns: the end of a rig's process as the service chart runs it, on the virtual clock. */
import { phases, type ServiceCommand } from '../../../src/machines/service.ts';
import { ServiceActor } from '../../../src/runtime/service-actor.ts';
import type { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import type { Process } from '../rig.ts';

export class StoppingProcess {
  readonly #process: Process;
  readonly #actor: ServiceActor;

  constructor(process: Process, clock: VirtualClock) {
    this.#process = process;
    this.#actor = new ServiceActor({
      clock,
      perform: (command) => this.#perform(command),
      observe: () => this.#show(),
    });
    this.#actor.start();
    for (const phase of phases) this.#actor.signal({ type: 'phase.passed', phase, detail: '', tookMs: 0 });
    process.onCallGone = () => this.#reportCallsGone();
  }

  get state(): unknown {
    return this.#actor.snapshot.value;
  }

  /** SIGTERM; the second one stops at once. */
  terminate(withinMs: number): void {
    this.#actor.signal({ type: 'drain.requested', reason: 'SIGTERM', withinMs });
  }

  #show(): void {
    const { snapshot } = this.#actor;
    this.#process.isReady = snapshot.hasTag('ready');
    this.#process.isLeaving = !this.#process.isReady;
    this.#process.isParting = snapshot.matches('parting') || snapshot.matches('stopping');
  }

  #perform(command: ServiceCommand): void {
    const { drain } = this.#process.assembly;
    if (command.type === 'drainCalls') {
      this.#reportCallsGone();
      void drain.moveCalls(command.params.withinMs);
    } else if (command.type === 'partFromCalls') {
      void drain.part();
    } else if (command.type === 'stopService') {
      void this.#process.exits().then(() => this.#actor.signal({ type: 'service.stopped' }));
    }
  }

  #reportCallsGone(): void {
    if (this.#process.assembly.registry.size === 0) this.#actor.signal({ type: 'calls.gone' });
  }
}
