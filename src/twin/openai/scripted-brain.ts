/**
 * Owns: finding the place in a script from a conversation, and the reply that comes next.
 * Does not own: the form of a script (`script.ts`).
 *
 * The place is found anew for every question from what the conversation holds: how often the caller spoke, which
 * scripted texts the agent said and how far they were heard, which calls were made and answered. Texts are compared
 * word by word without regard to punctuation, so a history that was cut at a word still fits. Replies of a script
 * should begin differently, or a history without the caller's turns is ambiguous.
 */
import { z } from 'zod';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { Brain, BrainItem, BrainReply, BrainRequest, CallerTurn, Transcript } from './brain.ts';
import { echoBrain } from './echo-brain.ts';
import {
  type NumberedReply,
  type NumberedScript,
  numberScript,
  type Script,
  scriptSchema,
} from './script.ts';

/** How far a reply was heard: `nextSegment` is the first one that was not heard to its end. */
interface Said {
  reply: NumberedReply;
  nextSegment: number;
}

interface Place {
  /** The caller's turns so far, in the script's count. */
  turn: number;
  last: 'nothing' | 'caller' | 'silence' | 'agent' | 'call' | 'result';
  said: Said | null;
  /** The calls that were made, by id, with the replies that make them. */
  calls: Map<string, { name: string; reply: NumberedReply }>;
  /** The reply whose call was answered last. */
  answered: NumberedReply | null;
}

/** A brain that follows a script. @throws ZodError where the script has another form */
export function scriptedBrain(script: Script): Brain {
  const numbered = numberScript(script);
  return {
    reply: (request) => nextReply(numbered, request),
    transcribe: (turn) => transcriptOf(numbered, turn),
  };
}

/**
 * A brain from the text of a JSON file: a script, or `{"smallTalk": true}`.
 *
 * @throws FixCallError `configuration.invalid` where it is neither
 */
export function brainFromJson(json: string): Brain {
  const schema = z.union([z.strictObject({ smallTalk: z.literal(true) }), scriptSchema]);
  try {
    const brain = schema.parse(JSON.parse(json));
    return 'smallTalk' in brain ? echoBrain() : scriptedBrain(brain);
  } catch (error) {
    throw new FixCallError('configuration.invalid', `The script of the model does not parse: ${error}`);
  }
}

function transcriptOf(script: NumberedScript, turn: CallerTurn): Transcript {
  if (turn.isSilence) return { text: '' };
  const caller = script.turns[findPlace(script, turn.items).turn]?.caller ?? '';
  return typeof caller === 'string' ? { text: caller } : caller;
}

function nextReply(script: NumberedScript, request: BrainRequest): BrainReply {
  if (request.reason === 'outOfBand') return wholeReply(script.outOfBand);
  const instructed = script.instructed.find(({ includes }) => request.instructions?.includes(includes));
  if (instructed !== undefined) return wholeReply(instructed.reply);
  const place = findPlace(script, request.items);
  if (place.last === 'agent' && place.said !== null) return restOf(place.said, script);
  return wholeReply(replyAt(script, place) ?? script.otherwise);
}

function replyAt(script: NumberedScript, place: Place): NumberedReply | null | undefined {
  switch (place.last) {
    case 'nothing':
      return script.greeting;
    case 'caller':
      return script.turns[place.turn - 1]?.reply;
    case 'silence':
      return script.idle;
    case 'result':
      return place.answered?.afterResult;
    default:
      return null;
  }
}

const wholeReply = ({ reply, segments, calls }: NumberedReply): BrainReply => ({ reply, segments, calls });

/** What is left of a reply that the caller did not hear to its end: segments, and calls that were not made. */
function restOf({ reply, nextSegment }: Said, script: NumberedScript): BrainReply {
  const segments = reply.segments.slice(nextSegment);
  if (segments.length === 0 && reply.calls.length === 0) return wholeReply(script.otherwise);
  return { reply: reply.reply, segments, calls: reply.calls };
}

function findPlace(script: NumberedScript, items: readonly BrainItem[]): Place {
  const place: Place = { turn: 0, last: 'nothing', said: null, calls: new Map(), answered: null };
  for (const item of items) moveOn(script, place, item);
  return place;
}

function moveOn(script: NumberedScript, place: Place, item: BrainItem): void {
  switch (item.kind) {
    case 'caller':
      if (!item.isSilence) place.turn += 1;
      place.last = item.isSilence ? 'silence' : 'caller';
      place.said = null;
      return;
    case 'agent':
      noteSaid(script, place, item.text);
      return;
    case 'call':
      noteCall(script, place, item.callId, item.name);
      return;
    case 'result':
      place.answered = place.calls.get(item.callId)?.reply ?? null;
      place.last = 'result';
      return;
    case 'system':
      return;
  }
}

function noteSaid(script: NumberedScript, place: Place, text: string): void {
  const words = wordsOf(text);
  if (words.length === 0) return;
  const said = goesOn(place.said, words) ?? firstMatch(candidates(script, place), words);
  place.said = said;
  place.last = 'agent';
  if (said !== null) place.turn = said.reply.turn ?? place.turn;
}

/** A resumed reply stands in the history as two texts: the second goes on where the first was cut. */
const goesOn = (said: Said | null, words: readonly string[]): Said | null =>
  said === null ? null : matchFrom(said.reply, said.nextSegment, words);

function firstMatch(replies: readonly NumberedReply[], words: readonly string[]): Said | null {
  for (const reply of replies) {
    for (let start = 0; start < reply.segments.length; start += 1) {
      const said = matchFrom(reply, start, words);
      if (said !== null) return said;
    }
  }
  return null;
}

/** Replies in the order in which they are likely: those of this turn, of later ones, of none, of earlier ones. */
function candidates(script: NumberedScript, place: Place): NumberedReply[] {
  const distance = ({ turn }: NumberedReply): number => {
    if (turn === null) return script.replies.length;
    return turn >= place.turn ? turn - place.turn : 2 * script.replies.length - turn;
  };
  return script.replies.toSorted((one, other) => distance(one) - distance(other));
}

function noteCall(script: NumberedScript, place: Place, callId: string, name: string): void {
  place.last = 'call';
  const callers = candidates(script, place).filter(({ calls }) => calls.some((call) => call.name === name));
  const waiting = callers.filter((reply) => !hasMade(place, reply, name));
  const reply = waiting.find((caller) => caller === place.said?.reply) ?? waiting[0] ?? callers[0];
  if (reply === undefined) return;
  place.calls.set(callId, { name, reply });
  place.turn = reply.turn ?? place.turn;
}

/** Whether a reply has made all its calls of a tool. */
function hasMade({ calls }: Place, reply: NumberedReply, name: string): boolean {
  const made = [...calls.values()].filter((call) => call.reply === reply && call.name === name);
  return made.length >= reply.calls.filter((call) => call.name === name).length;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Whether the words are those of the reply from a segment on, as far as they go. */
function matchFrom(reply: NumberedReply, start: number, words: readonly string[]): Said | null {
  let at = 0;
  for (const { segment, text } of reply.segments.slice(start)) {
    const expected = wordsOf(text);
    const heard = words.slice(at, at + expected.length);
    if (heard.some((word, index) => word !== expected[index])) return null;
    if (heard.length < expected.length) return at + heard.length > 0 ? { reply, nextSegment: segment } : null;
    at += expected.length;
  }
  return at === words.length && at > 0 ? { reply, nextSegment: reply.segments.length } : null;
}
