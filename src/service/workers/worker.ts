/**
 * Owns: the process of a worker: the service in it, what it tells its primary, its end.
 * Does not own: the channel (`primary-link.ts`), what a person sees (`workers-terminal.ts`).
 *
 * A worker obeys its primary alone. Signals that reach the whole group of processes, as Ctrl-C in a terminal does, reach
 * the primary too: were they heard here as well, each would count twice.
 */
import type { Environment } from '../../config/dotenv.ts';
import { systemClock } from '../../platform/clock.ts';
import { Service } from '../service.ts';
import { PrimaryLink, type WorkerChannel } from './primary-link.ts';
import { workerEnvironment } from './worker-environment.ts';
import type { Standing } from './worker-load.ts';

export interface WorkerOptions {
  /** From 1. */
  number: number;
  environment: Environment;
  channel: WorkerChannel;
}

/** @returns the exit code: 0 stopped on request, 1 a fatal phase failed */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const environment = workerEnvironment(options.environment, options.number);
  const primary = new PrimaryLink(options.channel, environment.INSTANCE_ID);
  let allPassed = false;
  const service = new Service({
    environment,
    clock: systemClock,
    primary,
    // Before that there is no call to be kept, and a worker that does not start is started anew.
    onOpen: () => process.on('uncaughtException', (error) => service.noteFault(error)),
    onChange: ({ context: { phases } }, fact) => {
      allPassed = Object.values(phases).every(({ outcome }) => outcome === 'passed');
      if (fact === null || !('phase' in fact)) return;
      primary.tell({ type: 'phase', phase: fact.phase, outcome: phases[fact.phase] });
    },
  });
  const standing = (): Standing => ({
    conversations: service.health?.capacity.liveCalls ?? 0,
    refusal: service.health ? service.health.refusal : 'starting',
  });
  primary.lookBy(standing, systemClock);
  primary.obey({
    drain: (reason) => primary.tell({ type: 'draining', withinMs: service.drain(reason) }),
    stop: (reason) => service.stop(reason),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  // What an agent's code leaves unhandled must not end everybody's calls.
  process.on('unhandledRejection', (error) => service.noteFault(error));
  const outcome = await service.start();
  // Before the word that it runs: by then it gets calls.
  primary.look();
  primary.tell({ type: 'started', outcome, allPassed });
  await service.stopped;
  await primary.lastWord();
  return outcome === 'failed' ? 1 : 0;
}
