/**
 * Owns: settling promises without a turn of the event loop, which is nine tenths of what a virtual clock costs.
 *
 * Node drains its queues of ticks and promise reactions after every callback from the loop, by a function that it
 * shows as `process._tickCallback`. That it is there and drains all is checked once, on loading.
 */
import type { SettleNow } from '../../src/twin/virtual-clock.ts';

type Drain = (this: NodeJS.Process) => void;

const drain = (process as unknown as { _tickCallback?: Drain })._tickCallback;

/** To be called from a callback of the event loop, never from within a promise reaction. */
export const settleNow: SettleNow = () => drain?.call(process);

/** Whether `settleNow` does what it says: asked from a turn of its own. */
const canSettle = await new Promise<boolean>((resolve) => {
  setImmediate(() => {
    let steps = 0;
    const walk = async (): Promise<void> => {
      for (; steps < 10; steps++) await null;
    };
    void walk();
    settleNow();
    resolve(steps === 10);
  });
});

if (!canSettle) throw new Error('This Node.js cannot settle promises within a turn of its event loop.');
