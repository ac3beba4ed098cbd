/**
 * Owns: the conversation that every call of a drill holds: its questions and answers, and the numbers by which they
 * are told apart in the sound.
 * Does not own: saying them (`caller.ts`, `brain.ts`), judging what was heard (`measure.ts`).
 *
 * A reply is made of sentences of eight words. Each word is a segment of its own in the sound, so that a reply that
 * was cut can be taken up again at a word; a sentence is longer than what a resumed reply may repeat (1.2 s and a
 * word). All words have the same number of characters, so a text that is cut in proportion is cut where the sound was.
 */
import { frameMs, renderSegment } from '../../src/twin/openai/segments.ts';

export const wordMs = 200;
export const wordsPerSentence = 8;
export const framesPerWord = wordMs / frameMs;

/** How long the caller speaks. */
export const questionMs = 1_000;

/** The question that makes the agent use a tool. */
export const toolQuestion = 2;
/** The one that ends the call. */
export const lastQuestion = 4;

/** Reply k answers question k; 0 is the greeting. The rest stands outside the order of turns. */
export const replies = {
  greeting: 0,
  goodbye: lastQuestion,
  /** The agent asks the caller to say it again. */
  repeat: 5,
  /** Whatever else the agent is asked to say. */
  aside: 6,
  /** The model does not know what it should remember. */
  forgot: 7,
  /** Answers the question with the tool when nobody knows whether the tool was done. */
  unknownOutcome: 8,
} as const;

const sentences: Readonly<Record<number, number>> = { 0: 1, 1: 2, 2: 2, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1 };

export const wordsOf = (reply: number): number => (sentences[reply] ?? 1) * wordsPerSentence;

/** Greeting and answers: what must be heard once. */
export const isAnswer = (reply: number): boolean => reply <= lastQuestion || reply === replies.unknownOutcome;

/** Replies that answer a question. */
export const answersTo = (question: number): readonly number[] =>
  question === toolQuestion ? [question, replies.unknownOutcome] : [question];

const twoDigits = (number: number): string => String(number).padStart(2, '0');

export const wordText = (reply: number, word: number): string => `a${reply}w${twoDigits(word)} `;

/** The words of the agent in a text, in order. */
export const wordsIn = (text: string): { reply: number; word: number }[] =>
  [...text.matchAll(/a(\d)w(\d\d)/g)].map(([, reply, word]) => ({
    reply: Number(reply),
    word: Number(word),
  }));

export const questionText = (caller: number, question: number): string =>
  `caller ${caller} question ${question}`;

export function questionIn(text: string): { caller: number; question: number } | null {
  const found = /caller (\d+) question (\d+)/.exec(text);
  return found ? { caller: Number(found[1]), question: Number(found[2]) } : null;
}

/** How the model tells the sessions of the calls apart: part of the agent's instructions. */
export const instructionsFor = (caller: number): string => `You talk to caller ${caller}.`;

const callerNumbers = 15_550_200_000;
export const phoneNumberOf = (caller: number): string => `+${callerNumbers + caller}`;
export const callerOf = (phoneNumber: string): number => Number(phoneNumber.slice(1)) - callerNumbers;

/** At most so many callers can be told apart in the sound. */
export const mostCallers = 512;

const firstUtterance = 2_048;
const mostRepetitions = 8;

/** What the caller says: a question, for the first time (0) or again. Numbered like a reply in the sound. */
export interface Utterance {
  question: number;
  repetition: number;
}

export const utteranceNumber = ({ question, repetition }: Utterance): number =>
  firstUtterance + question * mostRepetitions + Math.min(repetition, mostRepetitions - 1);

/** The question in the sound of a turn, or null where the sound is not a caller's. */
export function questionOfSound(reply: number): number | null {
  const question = Math.floor((reply - firstUtterance) / mostRepetitions);
  return question >= 1 && question <= lastQuestion ? question : null;
}

export const renderQuestion = (caller: number, utterance: Utterance): Uint8Array =>
  renderSegment(
    { reply: utteranceNumber(utterance), segment: caller, lengthMs: questionMs },
    { type: 'audio/pcmu' },
  );

export type ToolName = 'look_up' | 'set_day' | 'pay' | 'book';
const tools: readonly ToolName[] = ['look_up', 'set_day', 'pay', 'book'];

/** Which tool a caller makes the agent use: of effect none, idempotent, once, and once with `find`. */
export const toolOf = (caller: number): ToolName => tools[caller % tools.length] ?? 'look_up';
