/** Owns: giving way: work that takes long for one page is done in slices, so that no frame of a call waits for it. */
import { setImmediate as turn } from 'node:timers/promises';

/** A frame of audio comes every 20 ms per call and direction. */
export const sliceMs = 4;

export class Slices {
  #until = performance.now() + sliceMs;

  /** To be awaited between two pieces of work. */
  async giveWay(): Promise<void> {
    if (performance.now() < this.#until) return;
    await turn();
    this.#until = performance.now() + sliceMs;
  }
}
