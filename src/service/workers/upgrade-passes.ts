/**
 * Owns: the primary's part when a worker passes a media upgrade on to the sibling that its path names.
 * Does not own: the workers' part (`passed-upgrades.ts`, where E3 stands).
 *
 * The socket is open in three processes for a moment. The sibling says that it has it; then the primary closes its own,
 * then the first worker does, and only then the sibling is told to go on.
 */
import type { Socket } from 'node:net';
import type { UpgradeRequest } from './messages.ts';
import type { WorkerProcess } from './worker-process.ts';

type PassingWorker = Pick<WorkerProcess, 'tell'>;

interface Pass<Worker> {
  from: Worker;
  /** Of `from`. */
  key: number;
  to: Worker;
  socket: Socket;
  isTaken: boolean;
  /** `from` has ended: its socket is closed. */
  isLeft: boolean;
}

export class UpgradePasses<Worker extends PassingWorker = WorkerProcess> {
  /** By the number under which the sibling knows it. */
  readonly #passes = new Map<number, Pass<Worker>>();
  #lastKey = 0;

  get size(): number {
    return this.#passes.size;
  }

  /** @param to null where the sibling is gone */
  begin(from: Worker, key: number, to: Worker | null, request: UpgradeRequest, socket: Socket): void {
    socket.on('error', () => undefined);
    if (to === null) {
      socket.destroy();
      from.tell({ type: 'upgradePassed', key, moved: false });
      return;
    }
    this.#lastKey += 1;
    this.#passes.set(this.#lastKey, { from, key, to, socket, isTaken: false, isLeft: false });
    to.tell({ type: 'upgrade', key: this.#lastKey, request }, socket);
  }

  /** The sibling has it. */
  take(key: number): void {
    const pass = this.#passes.get(key);
    if (!pass) return;
    pass.isTaken = true;
    pass.socket.destroy();
    if (pass.isLeft) this.#release(key, pass);
    else pass.from.tell({ type: 'upgradePassed', key: pass.key, moved: true });
  }

  /** The first worker has closed it. */
  release(from: Worker, keyThere: number): void {
    for (const [key, pass] of this.#passes)
      if (pass.from === from && pass.key === keyThere) this.#release(key, pass);
  }

  /** A worker has ended. */
  forget(worker: Worker): void {
    for (const [key, pass] of [...this.#passes]) {
      if (pass.to === worker) this.#giveBack(key, pass);
      else if (pass.from === worker) this.#leave(key, pass);
    }
  }

  #release(key: number, { to }: Pass<Worker>): void {
    this.#passes.delete(key);
    to.tell({ type: 'upgradeReleased', key });
  }

  #giveBack(key: number, { from, key: keyThere, socket, isTaken }: Pass<Worker>): void {
    this.#passes.delete(key);
    socket.destroy();
    if (!isTaken) from.tell({ type: 'upgradePassed', key: keyThere, moved: false });
  }

  #leave(key: number, pass: Pass<Worker>): void {
    pass.isLeft = true;
    if (pass.isTaken) this.#release(key, pass);
  }
}
