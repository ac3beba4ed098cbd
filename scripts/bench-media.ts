/**
 * Owns: what a call's audio path costs without sockets: time and memory for a frame, a delta and a bridge.
 * Does not own: what is added by sockets, messages and the journal.
 *
 * Run with `node --conditions=holdfast-source scripts/bench-media.ts`. Prints one line per figure, the median of several rounds.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BridgeListener } from '../src/media/bridge.ts';
import { Bridge } from '../src/media/bridge.ts';
import type { CallerLine } from '../src/media/reply-player.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const rounds = 9;
const framesPerRound = 100_000;
const deltasPerRound = 10_000;
const bridges = 500;
const frameMs = 20;

const frame = Buffer.alloc(160, 0x55);
/** A quarter of a second, as the model sends it. */
const delta = Buffer.alloc(2_000, 0x55);

const clock = {
  monotonic: () => performance.now(),
  setTimeout: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
};
const ear = { appendAudio: () => {}, bufferedBytes: () => 0 };
const ignore = () => {};
const listener: BridgeListener = {
  onRoundTrip: ignore,
  onVoiced: ignore,
  onProgressed: ignore,
  onCutShort: ignore,
  onPlayed: ignore,
  onStarved: ignore,
  onResumed: ignore,
  onOverflow: ignore,
};

/** A line that has played everything at once. */
function echoingLine(bridge: () => Bridge): CallerLine {
  return {
    sendAudio: ignore,
    sendMark: (name) => bridge().markEchoed(name),
    clear: ignore,
    bufferedBytes: () => 0,
  };
}

function openBridge(): Bridge {
  const bridge: Bridge = new Bridge(clock, listener, { lineQueueMs: Number.MAX_SAFE_INTEGER });
  bridge.attachLine(echoingLine(() => bridge));
  bridge.lineOpened();
  bridge.attachEar(ear);
  return bridge;
}

function sendFrames(bridge: Bridge, count: number): void {
  for (let index = 0; index < count; index++) bridge.callerAudio(frame, index * frameMs);
}

/** Replies of twenty deltas: five seconds of speech. */
function sendDeltas(bridge: Bridge, count: number): void {
  for (let index = 0; index < count; index++) {
    const reply = Math.floor(index / 20);
    bridge.replyAudio(`reply${reply}`, `item${reply}`, delta);
    if (index % 20 === 19) bridge.replyEnded(`reply${reply}`);
  }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function nanosecondsEach(count: number, work: (bridge: Bridge, count: number) => void): number {
  const bridge = openBridge();
  work(bridge, count);
  const figures = Array.from({ length: rounds }, () => {
    const startMs = performance.now();
    work(bridge, count);
    return ((performance.now() - startMs) * 1e6) / count;
  });
  bridge.close();
  return median(figures);
}

/** Few enough per round that no collection falls into one. */
function heapBytesEach(count: number, work: (bridge: Bridge, count: number) => void): number {
  const bridge = openBridge();
  work(bridge, 10 * count);
  const figures = Array.from({ length: rounds }, () => {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    work(bridge, count);
    return (process.memoryUsage().heapUsed - before) / count;
  });
  bridge.close();
  return median(figures);
}

function memoryPerBridge(prepare: (bridge: Bridge) => void): { heapBytes: number; bufferBytes: number } {
  const measure = () => {
    collectGarbage();
    return process.memoryUsage();
  };
  const before = measure();
  const open = Array.from({ length: bridges }, openBridge);
  for (const bridge of open) prepare(bridge);
  const after = measure();
  for (const bridge of open) bridge.close();
  return {
    heapBytes: (after.heapUsed - before.heapUsed) / bridges,
    bufferBytes: (after.arrayBuffers - before.arrayBuffers) / bridges,
  };
}

function print(name: string, value: number, unit: string): void {
  console.log(`${name.padEnd(44)} ${value.toFixed(0).padStart(8)} ${unit}`);
}

print('caller frame', nanosecondsEach(framesPerRound, sendFrames), 'ns');
print('reply delta of 250 ms', nanosecondsEach(deltasPerRound, sendDeltas), 'ns');
print('heap allocated per caller frame', heapBytesEach(2_000, sendFrames), 'bytes');
print('heap allocated per reply delta', heapBytesEach(500, sendDeltas), 'bytes');
const idle = memoryPerBridge(ignore);
print('idle bridge, heap', idle.heapBytes, 'bytes');
print('idle bridge, buffers', idle.bufferBytes, 'bytes');
const full = memoryPerBridge((bridge) => sendFrames(bridge, 600));
print('bridge with a full ring, heap', full.heapBytes, 'bytes');
print('bridge with a full ring, buffers', full.bufferBytes, 'bytes');
