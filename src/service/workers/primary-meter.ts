/**
 * Owns: what only the primary can tell in the metrics: its own process, which worker is which, how many were lost.
 * Does not own: the workers' metrics (`worker-metrics.ts`).
 */
import { Metrics } from '../../telemetry/metrics/metrics.ts';
import { metrics as table } from '../../telemetry/metrics/names.ts';
import { familyOf, type Reading } from '../../telemetry/metrics/reading.ts';
import type { WorkerProcess } from './worker-process.ts';

/** The age of the service is that of its primary. Node.js' own figures are of interest where calls are. */
const startTime = 'process_start_time_seconds';
const ofTheProcess = /^process_/;
const ofWorkers = new Set(
  [table.workerCalls, table.workersLost].map(({ kind, name }) => familyOf({ type: kind, name })),
);

export class PrimaryMeter {
  readonly #metrics = new Metrics();

  constructor(workers: () => Iterable<Pick<WorkerProcess, 'number' | 'isOpen' | 'calls'>>) {
    this.#metrics.watchProcess();
    this.#metrics.ask('workerCalls', () =>
      [...workers()].flatMap(({ number, isOpen, calls }) =>
        isOpen ? [[{ worker: String(number) }, calls]] : [],
      ),
    );
  }

  countLost(): void {
    this.#metrics.count('workersLost', {});
  }

  async read(): Promise<Reading[]> {
    const readings = await this.#metrics.read();
    return readings
      .filter((reading) => ofTheProcess.test(reading.name) || ofWorkers.has(familyOf(reading)))
      .map((reading) => (reading.name === startTime ? { ...reading, aggregator: 'first' } : reading));
  }
}
