/**
 * Owns: the figures that say how well one call's audio flows. Counters and a few running values: nothing is allocated
 * for a frame.
 * Does not own: names of metrics, windows over time, an estimate of what the caller feels (telemetry reads two sets of
 * figures and compares).
 */
import { ArrivalMeter } from './arrival-meter.ts';
import { DurationHistogram } from './duration-histogram.ts';
import { LevelMeter } from './level-meter.ts';

/** Counts since the bridge was made, except where a value is said to be of now. */
export interface QualityFigures {
  /** Frames from the line. */
  callerFrames: number;
  /** Steps in the line's timestamps beyond the audio in between, and the audio missing there. */
  callerGaps: number;
  callerGapMs: number;
  /** Of now: RFC 3550 section 6.4.1. */
  callerJitterMs: number;
  /** Longest time between two frames of one stream. */
  longestSilenceMs: number;
  /** Times that audio which no session got fell out of the ring, and how much did. */
  callerOverflows: number;
  lostCallerBytes: number;
  /** Pieces of reply audio to the line. */
  agentFrames: number;
  agentBytes: number;
  /** Times that the line must have run dry inside a reply, and for how long, by what was sent until when. */
  underruns: number;
  underrunMs: number;
  /** Items that were cut because the line took too little for too long, and the audio refused for it. */
  agentOverflows: number;
  cutAgentBytes: number;
  /** Audio of interrupted replies that came too late. */
  lateAgentBytes: number;
  /** Holding sounds to the line. They are in no other figure. */
  holdingSounds: number;
  marksSent: number;
  /** Marks that said nothing: from before a flush, twice, or never sent. */
  marksIgnored: number;
  /**
   * From the moment at which the audio before a mark should have been played until its echo: the network both ways
   * and what the carrier buffers beyond.
   */
  markRoundTrips: number;
  markRoundTripMedianMs: number;
  markRoundTripLongestMs: number;
  /** Of now: reply audio on the line that should not have been played yet. */
  playbackQueueMs: number;
  /** Of now: root mean square over 100 ms, 0 to 1. The agent's is that of the audio last sent, 0 once it was played. */
  callerLevel: number;
  agentLevel: number;
  /** Of now: memory in the ring and the reply queue. */
  heldBytes: number;
}

export class QualityMeter {
  readonly arrivals = new ArrivalMeter();
  readonly roundTrips = new DurationHistogram();
  readonly callerLevel = new LevelMeter();
  readonly agentLevel = new LevelMeter();
  callerOverflows = 0;
  lostCallerBytes = 0;
  agentFrames = 0;
  agentBytes = 0;
  underruns = 0;
  underrunMs = 0;
  agentOverflows = 0;
  cutAgentBytes = 0;
  lateAgentBytes = 0;
  holdingSounds = 0;
  marksSent = 0;
  marksIgnored = 0;

  figures(playbackQueueMs: number, heldBytes: number): QualityFigures {
    return {
      callerFrames: this.arrivals.frames,
      callerGaps: this.arrivals.gaps,
      callerGapMs: this.arrivals.gapMs,
      callerJitterMs: this.arrivals.jitterMs,
      longestSilenceMs: this.arrivals.longestSilenceMs,
      callerOverflows: this.callerOverflows,
      lostCallerBytes: this.lostCallerBytes,
      agentFrames: this.agentFrames,
      agentBytes: this.agentBytes,
      underruns: this.underruns,
      underrunMs: this.underrunMs,
      agentOverflows: this.agentOverflows,
      cutAgentBytes: this.cutAgentBytes,
      lateAgentBytes: this.lateAgentBytes,
      holdingSounds: this.holdingSounds,
      marksSent: this.marksSent,
      marksIgnored: this.marksIgnored,
      markRoundTrips: this.roundTrips.count,
      markRoundTripMedianMs: this.roundTrips.medianMs,
      markRoundTripLongestMs: this.roundTrips.longestMs,
      playbackQueueMs,
      callerLevel: this.callerLevel.level,
      agentLevel: playbackQueueMs > 0 ? this.agentLevel.level : 0,
      heldBytes,
    };
  }
}
