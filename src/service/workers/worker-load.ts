/**
 * Owns: what a worker counts as its share of the work, and telling it at each change: its live calls, and connections
 * that are no stream. A stream belongs to a call.
 * Does not own: what follows from it (`shares.ts`).
 */
import type { Socket } from 'node:net';

export interface LoadReport {
  load: number;
  calls: number;
  /** The number of the last connection that came. */
  taken: number;
}

export class WorkerLoad {
  readonly #report: (report: LoadReport) => void;
  readonly #underWay = new Set<object>();
  #countCalls: () => number = () => 0;
  #taken = 0;
  #told: LoadReport = { load: 0, calls: 0, taken: 0 };
  #isDue = false;

  constructor(report: (report: LoadReport) => void) {
    this.#report = report;
  }

  countBy(countCalls: () => number): void {
    this.#countCalls = countCalls;
  }

  /** A connection came; without a socket its far side had gone before. */
  take(number: number, socket: Socket | undefined): void {
    this.#taken = number;
    if (socket) {
      this.#underWay.add(socket);
      socket.once('close', () => this.noteStream(socket));
    }
    this.noteChange();
  }

  /** The connection is a stream from now on. */
  noteStream(socket: object): void {
    if (this.#underWay.delete(socket)) this.noteChange();
  }

  /** What changes in one turn is told at once after it. */
  noteChange(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#tell();
    });
  }

  #tell(): void {
    const calls = this.#countCalls();
    const report = { load: calls + this.#underWay.size, calls, taken: this.#taken };
    const { load, taken } = this.#told;
    if (report.load === load && report.calls === this.#told.calls && report.taken === taken) return;
    this.#told = report;
    this.#report(report);
  }
}
