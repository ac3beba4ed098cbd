/** Owns: what the parts of one session share. Does not own: the parts. */
import type { Clock } from '../../../runtime/ports/clock.ts';
import type { Random } from '../../random.ts';
import type { SegmentCache } from '../audio/segment-cache.ts';
import type { Brain } from '../brain.ts';
import type { ResponseOutcome } from '../faults.ts';
import type { Pace } from '../pace.ts';
import type { Identify } from '../protocol/identifiers.ts';
import type { Outbox } from '../protocol/outbox.ts';
import type { Conversation } from './conversation.ts';
import type { SessionSettings } from './session-settings.ts';
import type { UsageMeter } from './usage.ts';

/** What goes wrong in a session on purpose. */
export interface SessionFaults {
  /** What becomes of the next response; null: all goes well. Asked once for each. */
  nextOutcome(): ResponseOutcome | null;
  /** Audio deltas that still come after a response was cancelled. */
  lateDeltas(): number;
}

export interface SessionContext {
  clock: Clock;
  random: Random;
  identify: Identify;
  outbox: Outbox;
  pace: Pace;
  brain: Brain;
  sounds: SegmentCache;
  faults: SessionFaults;
  conversation: Conversation;
  usage: UsageMeter;
  settings(): SessionSettings;
}
