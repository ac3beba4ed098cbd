/** Calls of a drill as a test writes them down: an uneventful one, with what the test says otherwise. */
import type { HeardFrame, SaidFrame } from '../../../scripts/drill/caller.ts';
import { framesPerWord, questionMs, utteranceNumber, wordsOf } from '../../../scripts/drill/conversation.ts';
import type { CallEvidence } from '../../../scripts/drill/evidence.ts';
import type { Entry } from '../../../src/machines/entries.ts';

export const evidenceOf = (known: Partial<CallEvidence>): CallEvidence => ({
  callId: 'CA1',
  caller: 0,
  heard: [],
  saidFrames: [],
  said: [],
  isDone: false,
  hungUp: null,
  wasTurnedAway: false,
  struck: [],
  sessions: [],
  strangers: 0,
  events: [],
  entries: [],
  endReason: null,
  replays: true,
  effects: [],
  ...known,
});

/** A reply that is heard whole. */
export const heardReply = (reply: number, { from }: { from: number }): HeardFrame[] =>
  Array.from({ length: wordsOf(reply) * framesPerWord }, (_, index) => ({
    at: from + index * 20,
    reply,
    segment: Math.floor(index / framesPerWord),
    frame: index % framesPerWord,
  }));

/** A question that is said whole. */
export const saidQuestion = (question: number, { from }: { from: number }): SaidFrame[] =>
  Array.from({ length: questionMs / 20 }, (_, frame) => ({
    at: from + frame * 20,
    utterance: utteranceNumber({ question, repetition: 0 }),
    frame,
  }));

export const claimed = (seq: number, at: number, instance: string): Entry => ({
  type: 'owner.claimed',
  seq,
  at,
  instance,
  why: 'stream',
});

export const streamStarted = (seq: number, at: number): Entry => ({
  type: 'stream.started',
  seq,
  at,
  streamId: `MZ${seq}`,
  attempt: seq,
});

export const modelOpened = (seq: number, at: number): Entry => ({
  type: 'model.opened',
  seq,
  at,
  generation: seq,
  sessionId: `sess${seq}`,
  expiresAt: null,
});
