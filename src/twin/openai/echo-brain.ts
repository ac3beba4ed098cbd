/** Owns: endless small talk, for load: every turn of the caller has an answer, and all answers are few and short. */
import { type Brain, type BrainReply, type NumberedSegment, speakingMs } from './brain.ts';

const lines: readonly (readonly string[])[] = [
  ['Hello, ', 'it is good to hear from you.'],
  ['That sounds lovely, ', 'please tell me more about it.'],
  ['I see, ', 'and how did it go on from there?'],
  ['You do not say! ', 'I would never have thought so.'],
  ['The weather here never changes, ', 'which I find rather soothing.'],
  ['Quite so, ', 'one can always rely on that.'],
];

const numbered = (texts: readonly string[]): NumberedSegment[] =>
  texts.map((text, segment) => ({ segment, text, lengthMs: speakingMs(text) }));

const replies: readonly BrainReply[] = lines.map((texts, reply) => ({
  reply,
  segments: numbered(texts),
  calls: [],
}));

/** A brain that answers the n-th turn of a caller with the n-th line, over and over. Line 0 is the greeting. */
export function echoBrain(): Brain {
  return {
    reply: ({ items }) => {
      const turns = items.filter((item) => item.kind === 'caller').length;
      return replies[turns % replies.length] as BrainReply;
    },
    transcribe: ({ items, isSilence }) => ({
      text: isSilence ? '' : `This is what I had to say, part ${items.length + 1}.`,
    }),
  };
}
