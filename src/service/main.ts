/**
 * Owns: `npm start`: the process, its signals, its exit code, and what the terminal shows of the start-up.
 * Does not own: the service (`service.ts`).
 *
 * Exit codes: 0 stopped on request; 1 a fatal phase failed.
 */
import { loadDotenv } from '../config/dotenv.ts';
import { systemClock } from '../platform/clock.ts';
import { formatPhase } from './phase-report.ts';
import { Service } from './service.ts';

loadDotenv(process.env, process.cwd());

console.log('Holdfast');
const service = new Service({
  environment: process.env,
  clock: systemClock,
  onChange: (snapshot, fact) => {
    if (fact === null || !('phase' in fact)) return;
    console.log(formatPhase(fact.phase, snapshot.context.phases[fact.phase]));
  },
});

let requests = 0;
function stop(signal: NodeJS.Signals): void {
  requests += 1;
  console.log(
    requests === 1 ? `${signal}: no new calls; live ones may end. Once more stops at once.` : 'Stopping.',
  );
  service.drain(signal);
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

const outcome = await service.start();
console.log(outcome === 'running' ? 'Ready for calls.' : 'Not started.');
await service.stopped;
if (outcome === 'running') console.log('Stopped.');
process.exitCode = outcome === 'running' ? 0 : 1;
