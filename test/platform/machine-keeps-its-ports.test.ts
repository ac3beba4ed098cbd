/** The machine's own clock and processes behind their ports. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { isProcessAlive } from '../../src/platform/process.ts';

describe('the clock', () => {
  it('tells the time of day, and a time that never goes back', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
    const before = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });

  it('calls back after a delay, unless it was told not to', async () => {
    const called: string[] = [];
    const cleared = systemClock.setTimeout(() => called.push('cleared'), 1);
    systemClock.clearTimeout(cleared);
    systemClock.clearTimeout(undefined);
    await new Promise<void>((resolve) => {
      systemClock.setTimeout(() => {
        called.push('late');
        resolve();
      }, 20);
      systemClock.setTimeout(() => called.push('at once'), -5);
    });
    expect(called).toEqual(['at once', 'late']);
  });

  it('does not call back at once where the delay is longer than Node.js can count', () => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout');
    const timer = systemClock.setTimeout(() => undefined, 40 * 24 * 3_600_000);
    expect(setTimeout.mock.lastCall?.[1]).toBe(2 ** 31 - 1);
    systemClock.clearTimeout(timer);
    vi.restoreAllMocks();
  });
});

describe('a process', () => {
  it('is alive while it runs, and dead once it is gone', () => {
    expect(isProcessAlive(process.pid)).toBe(true);
    const { pid } = spawnSync(process.execPath, ['--version']);
    expect(isProcessAlive(pid)).toBe(false);
  });

  it('is alive where it is somebody else’s', () => {
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
    });
    expect(isProcessAlive(1)).toBe(true);
    vi.restoreAllMocks();
  });
});
