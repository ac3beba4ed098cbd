/**
 * Owns: what is measured of the sound of calls: figures of each call are compared every 5 s with those before.
 * Does not own: the figures (`src/media/quality.ts`); they are taken as they are counted there.
 *
 * Invariants:
 * I4. Of a call that left nothing is kept.
 */
import type { AudioDelays, AudioDirection } from './audio-delays.ts';
import { estimatedMos } from './estimated-mos.ts';
import type { Metrics } from './metrics/metrics.ts';
import { RecentIssues } from './recent-issues.ts';

export const windowMs = 5_000;

/** A frame of G.711 at 8 kHz is as many bytes as eight times its milliseconds. */
const bytesPerSecond = 8_000;

/** Counts since the call had parts here, and values of now; milliseconds, bytes. */
export interface SoundFigures {
  callerFrames: number;
  callerGaps: number;
  callerGapMs: number;
  callerJitterMs: number;
  callerOverflows: number;
  lostCallerBytes: number;
  agentFrames: number;
  underruns: number;
  underrunMs: number;
  agentOverflows: number;
  cutAgentBytes: number;
  holdingSounds: number;
  markRoundTripMedianMs: number;
  playbackQueueMs: number;
}

/** Before any sound. */
export const noSound: SoundFigures = {
  callerFrames: 0,
  callerGaps: 0,
  callerGapMs: 0,
  callerJitterMs: 0,
  callerOverflows: 0,
  lostCallerBytes: 0,
  agentFrames: 0,
  underruns: 0,
  underrunMs: 0,
  agentOverflows: 0,
  cutAgentBytes: 0,
  holdingSounds: 0,
  markRoundTripMedianMs: 0,
  playbackQueueMs: 0,
};

/** What was counted since; values of now stay. */
function since(before: SoundFigures, now: SoundFigures): SoundFigures {
  const { callerJitterMs, markRoundTripMedianMs, playbackQueueMs } = now;
  const counts = Object.keys(noSound) as (keyof SoundFigures)[];
  const difference = Object.fromEntries(counts.map((name) => [name, now[name] - before[name]]));
  return {
    ...(difference as unknown as SoundFigures),
    callerJitterMs,
    markRoundTripMedianMs,
    playbackQueueMs,
  };
}

export class MediaMeter {
  /** Of this process: gaps are the network's before it. */
  readonly recent = new RecentIssues();
  readonly #metrics: Metrics;
  readonly #delays: AudioDelays | null;
  readonly #before = new Map<string, SoundFigures>();
  #windows = 0;
  #windowsWithIssue = 0;

  /** @param delays where they are watched */
  constructor(metrics: Metrics, delays: AudioDelays | null = null) {
    this.#metrics = metrics;
    this.#delays = delays;
    metrics.ask('mediaIssue', () => [[{}, this.issueRatio]]);
  }

  /** 0 before the first window. */
  get issueRatio(): number {
    return this.#windows === 0 ? 0 : this.#windowsWithIssue / this.#windows;
  }

  /** A window has passed: once for each call whose stream is open. */
  measure(callId: string, figures: SoundFigures): void {
    const counted = this.#count(callId, figures);
    if (counted.callerFrames === 0 && counted.agentFrames === 0) return;
    const { callerGaps, underruns, callerOverflows, agentOverflows } = counted;
    const ours = underruns + callerOverflows + agentOverflows;
    const hasIssue = callerGaps + ours > 0;
    this.recent.note(ours > 0 || this.#delays?.areLate === true);
    this.#windows++;
    if (hasIssue) this.#windowsWithIssue++;
    this.#metrics.count('windows', { issue: hasIssue ? 'yes' : 'no' });
    this.#metrics.observe('jitter', {}, counted.callerJitterMs / 1_000);
    this.#metrics.observe('estimatedMos', {}, mosOf(counted));
  }

  /** One piece of audio took so long in the bridge. Told of samples only. */
  bridged(direction: AudioDirection, ms: number): void {
    this.#delays?.note(direction, ms);
    this.#metrics.observe('bridge', { direction }, ms / 1_000);
  }

  /** The call leaves: what was counted since the last window counts. */
  forget(callId: string, figures: SoundFigures): void {
    this.#count(callId, figures);
    this.#before.delete(callId);
  }

  #count(callId: string, figures: SoundFigures): SoundFigures {
    const counted = since(this.#before.get(callId) ?? noSound, figures);
    this.#before.set(callId, { ...figures });
    const metrics = this.#metrics;
    metrics.count('frames', { direction: 'caller' }, counted.callerFrames);
    metrics.count('frames', { direction: 'agent' }, counted.agentFrames);
    metrics.count('gaps', {}, counted.callerGaps);
    metrics.count('gapSeconds', {}, counted.callerGapMs / 1_000);
    metrics.count('underruns', {}, counted.underruns);
    metrics.count('underrunSeconds', {}, counted.underrunMs / 1_000);
    metrics.count('overflows', { direction: 'caller' }, counted.callerOverflows);
    metrics.count('overflows', { direction: 'agent' }, counted.agentOverflows);
    metrics.count('lostSeconds', { direction: 'caller' }, counted.lostCallerBytes / bytesPerSecond);
    metrics.count('lostSeconds', { direction: 'agent' }, counted.cutAgentBytes / bytesPerSecond);
    metrics.count('holdingSounds', {}, counted.holdingSounds);
    return counted;
  }
}

/** The delay is that of our leg: half a mark's way, and twice the jitter for the buffer that it takes. */
function mosOf({ markRoundTripMedianMs, callerJitterMs, callerGapMs }: SoundFigures): number {
  const delayMs = markRoundTripMedianMs / 2 + 2 * callerJitterMs;
  return estimatedMos(delayMs, Math.min(100, (100 * callerGapMs) / windowMs));
}
