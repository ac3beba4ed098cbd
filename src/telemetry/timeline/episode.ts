/**
 * Owns: what an episode of a call is: something with a beginning and an end that a person would look for on a time line.
 * Metrics take durations from episodes, traces make a span of each: they cannot disagree.
 * Does not own: finding episodes in a log (`call-timeline.ts`).
 */
import type { DraftOf } from '../../machines/entries.ts';
import type { Usage } from '../../machines/entry-values.ts';
import type { Rung } from '../metrics/names.ts';

interface Common {
  /** Of the entry that it began with: with the kind it names the episode, in every process and at every replay. */
  seq: number;
  /** Milliseconds since the Unix epoch. */
  startedAt: number;
  endedAt: number;
}

export type Episode = Common &
  (
    | { kind: 'call'; direction: 'incoming' | 'outgoing'; reason: string; instance: string }
    /** From the caller's first sound to the end of the answer; `tool`: one ran in between. */
    | {
        kind: 'turn';
        outcome: 'answered' | 'interrupted' | 'unanswered';
        tool: boolean;
        /** Seq of the turn whose answer it cut. */
        interrupts: number | null;
      }
    /** From the caller's last word to the first sound of the answer. `detectedAt`: turn detection said so. */
    | { kind: 'answer'; turn: number; detectedAt: number; tool: boolean }
    | { kind: 'greeting' }
    | { kind: 'bargeIn'; turn: number }
    | {
        kind: 'reply';
        turn: number | null;
        replyId: string;
        status: DraftOf<'reply.finished'>['status'];
        cause: string | null;
        /** When its first sound went to the carrier, or null where it has none. */
        voicedAt: number | null;
        usage: Usage | null;
      }
    | {
        kind: 'tool';
        turn: number | null;
        name: string;
        outcome: DraftOf<'tool.finished'>['outcome'];
      }
    | { kind: 'session'; generation: number; code: number | null; cause: string }
    | { kind: 'stream'; attempt: number; end: 'stopped' | 'closed' | 'failed'; cause: string }
    /** From a loss to the moment at which the call goes on; `lost`: it never did. */
    | { kind: 'recovery'; rung: Rung; cause: string; outcome: 'recovered' | 'lost' }
    | { kind: 'transfer'; outcome: DraftOf<'transfer.finished'>['outcome'] }
  );

export type EpisodeKind = Episode['kind'];
export type EpisodeOf<Kind extends EpisodeKind> = Extract<Episode, { kind: Kind }>;
