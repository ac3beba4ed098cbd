/**
 * Owns: what can be said about one call before it is made.
 * Does not own: settings of the whole twin (`settings.ts`).
 */
import type { Party } from '../../caller/party.ts';
import type { CallerManners, CallerScript } from '../../caller/script.ts';
import type { CallFaults } from '../faults.ts';
import type { AfterStream, StreamPolicy } from '../settings.ts';

/** How the far end of a `<Dial>` behaves. */
export type DialPlan =
  | { outcome: 'answered'; ringMs?: number; talkMs: number }
  | { outcome: 'busy' | 'no-answer' | 'failed'; ringMs?: number };

/** Who is on the line, and what goes wrong. */
export interface CallPlan {
  /** What the caller does; or somebody who does it. Default: says nothing and stays. */
  script?: CallerScript | Party;
  manners?: CallerManners;
  faults?: CallFaults;
  policy?: AfterStream | StreamPolicy;
  /** Hears every 20 ms that the caller hears, beginning at `at`: valid until it returns; null is silence. */
  onHeard?: (at: number, frame: Uint8Array | null) => void;
  /** One for each `<Dial>`, the last one for all that follow. Default: answered for 10 s after ringing for 2 s. */
  dials?: readonly DialPlan[];
}

/** A call that comes in from the telephone network. */
export interface IncomingOrder extends CallPlan {
  /** One of the twin's numbers. */
  to: string;
  from: string;
}

/** What becomes of a call that the REST API makes. */
export type OutgoingPlan =
  | (CallPlan & { outcome: 'answered'; ringMs?: number })
  | { outcome: 'busy' | 'no-answer' | 'failed'; ringMs?: number };
