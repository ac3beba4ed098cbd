import { expect, test } from 'vitest';
import { Rig } from './support/rig.ts';
import { SimulatedLine } from './support/simulated-line.ts';

function flowing(rig: Rig, frames: number): void {
  for (let count = 0; count < frames; count++) {
    rig.speak(Buffer.alloc(160));
    rig.pass(20);
  }
}

test('a line that brings nothing is starved after the bound, once', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.pass(1_499);
  expect(rig.told).toEqual([]);
  rig.pass(1);
  expect(rig.told).toEqual([{ told: 'starved', silentMs: 1_500 }]);
  rig.pass(60_000);
  expect(rig.told).toHaveLength(1);
});

test('a line from which nothing is handed on yet does not starve', () => {
  const rig = new Rig();
  rig.bridge.attachLine(new SimulatedLine(() => undefined));
  rig.pass(60_000);
  expect(rig.told).toEqual([]);
  expect(rig.clock.pendingTimers).toBe(0);
  rig.bridge.lineOpened();
  rig.pass(1_500);
  expect(rig.told).toEqual([{ told: 'starved', silentMs: 1_500 }]);
});

test('the silence counts from the last frame', () => {
  const rig = new Rig({ starvedAfterMs: 1_000 });
  rig.attachLine();
  flowing(rig, 100);
  rig.pass(979);
  expect(rig.told).toEqual([]);
  rig.pass(1);
  expect(rig.told).toEqual([{ told: 'starved', silentMs: 1_000 }]);
});

test('the next frame resumes, and another silence is told again', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.pass(3_000);
  flowing(rig, 2);
  rig.pass(3_000);
  expect(rig.told.map(({ told }) => told)).toEqual(['starved', 'resumed', 'starved']);
});

test('frames set no timers: one is enough, however many come', () => {
  const rig = new Rig();
  rig.attachLine();
  flowing(rig, 1_000);
  expect(rig.clock.pendingTimers).toBe(1);
  expect(rig.clock.timersSet).toBeLessThan(20);
});

test('without a line nothing can starve, and a new line starts afresh', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.pass(1_400);
  rig.bridge.detachLine();
  expect(rig.clock.pendingTimers).toBe(0);
  rig.pass(10_000);
  rig.attachLine();
  rig.pass(1_400);
  expect(rig.told).toEqual([]);
  expect(rig.clock.pendingTimers).toBe(1);
});

test('a line that is replaced while it is starved does not resume', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.pass(2_000);
  rig.attachLine();
  flowing(rig, 1);
  expect(rig.told.map(({ told }) => told)).toEqual(['starved']);
});
