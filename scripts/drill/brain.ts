/**
 * Owns: what the offline model says in a drill. It answers from the conversation that it is given alone, so a right
 * answer after a fault shows that the memory was kept.
 * Does not own: the words and their numbers (`conversation.ts`).
 *
 * Invariants:
 * B1. A question is answered only where the answers to all earlier ones, and the tool's result, are in the
 *     conversation; else the model says that it forgot.
 * B2. A reply that was cut goes on with the first word that the conversation does not show.
 */
import type { Brain, BrainItem, BrainReply, BrainRequest, CallerTurn } from '../../src/twin/openai/brain.ts';
import { readSegments } from '../../src/twin/openai/segments.ts';
import {
  isAnswer,
  lastQuestion,
  questionIn,
  questionOfSound,
  questionText,
  replies,
  toolOf,
  toolQuestion,
  wordMs,
  wordsIn,
  wordsOf,
  wordText,
} from './conversation.ts';

/** What a conversation shows. */
interface Memory {
  /** By reply: the first word that was not said. */
  said: Map<number, number>;
  /** What the last item was: the caller's question, a tool's result, words of the agent. */
  last: 'nothing' | 'question' | 'unclear' | 'result' | 'agent' | 'call';
  /** The newest question, and who asked it. */
  question: { caller: number; question: number } | null;
  /** The newest reply of the order of turns. */
  reply: number | null;
  /** What the tool gave back. */
  result: string | null;
}

export const drillBrain: Brain = {
  reply: (request) => nextReply(request, remember(request.items)),
  transcribe: (turn) => ({ text: transcriptOf(turn) }),
};

/** Told from the sound itself: what a session was not given, it cannot understand. */
function transcriptOf({ audio }: CallerTurn): string {
  const heard = readSegments(audio())
    .map(({ reply, segment }) => ({ question: questionOfSound(reply), caller: segment }))
    .findLast(({ question }) => question !== null);
  return heard?.question ? questionText(heard.caller, heard.question) : 'unclear';
}

function remember(items: readonly BrainItem[]): Memory {
  const memory: Memory = { said: new Map(), last: 'nothing', question: null, reply: null, result: null };
  for (const item of items) noteItem(memory, item);
  return memory;
}

function noteItem(memory: Memory, item: BrainItem): void {
  if (item.kind === 'caller') noteQuestion(memory, item.text);
  else if (item.kind === 'agent') noteWords(memory, item.text);
  else if (item.kind === 'call') memory.last = 'call';
  else if (item.kind === 'result') {
    memory.last = 'result';
    if (questionIn(item.output)) memory.question = questionIn(item.output);
    memory.result = item.output;
  }
}

function noteQuestion(memory: Memory, text: string): void {
  const question = questionIn(text);
  memory.last = question ? 'question' : 'unclear';
  if (question) memory.question = question;
}

function noteWords(memory: Memory, text: string): void {
  const words = wordsIn(text);
  for (const { reply, word } of words) {
    memory.said.set(reply, Math.max(memory.said.get(reply) ?? 0, word + 1));
    if (isAnswer(reply)) memory.reply = reply;
  }
  if (words.length > 0) memory.last = 'agent';
}

function nextReply({ reason, instructions }: BrainRequest, memory: Memory): BrainReply {
  if (reason === 'outOfBand' || reason === 'silence') return say(replies.aside);
  if (instructions === null) return answer(memory);
  if (instructions.includes('Greet the caller')) return rest(memory, replies.greeting);
  if (instructions.includes('Go on from exactly there')) return continuation(memory);
  if (instructions.includes('say it again')) return say(replies.repeat);
  if (/say goodbye/i.test(instructions)) return rest(memory, replies.goodbye);
  return say(replies.aside);
}

function answer(memory: Memory): BrainReply {
  const { last, question } = memory;
  if (last === 'unclear') return say(replies.repeat);
  if (last === 'question' && question) return answerTo(question, memory);
  if (last === 'result') return afterTool(memory);
  return continuation(memory);
}

function answerTo({ caller, question }: { caller: number; question: number }, memory: Memory): BrainReply {
  if (!remembers(memory, question)) return say(replies.forgot);
  if (question === toolQuestion && memory.result === null) {
    const calls = [{ name: toolOf(caller), arguments: JSON.stringify({ caller, question }) }];
    return { reply: question, segments: [], calls };
  }
  const reply = say(question);
  return question === lastQuestion ? { ...reply, calls: [{ name: 'hang_up', arguments: '{}' }] } : reply;
}

function afterTool(memory: Memory): BrainReply {
  if (memory.question?.question === lastQuestion) return rest(memory, replies.goodbye);
  return /unknown/i.test(memory.result ?? '') ? say(replies.unknownOutcome) : say(toolQuestion);
}

/** B1. */
function remembers({ said, result }: Memory, question: number): boolean {
  for (let earlier = 1; earlier < question; earlier += 1) {
    if (said.has(earlier)) continue;
    if (earlier !== toolQuestion || !said.has(replies.unknownOutcome)) return false;
  }
  return question <= toolQuestion || result !== null;
}

/** B2. Of an answer of which nothing was heard, the question is the last that the conversation shows. */
function continuation(memory: Memory): BrainReply {
  if (memory.last !== 'agent' && memory.last !== 'call' && memory.last !== 'nothing') return answer(memory);
  return memory.reply === null ? say(replies.aside) : rest(memory, memory.reply);
}

function rest({ said }: Memory, reply: number): BrainReply {
  const from = said.get(reply) ?? 0;
  return from < wordsOf(reply) ? say(reply, from) : say(replies.aside);
}

function say(reply: number, from = 0): BrainReply {
  const segments = Array.from({ length: wordsOf(reply) - from }, (_, index) => ({
    segment: from + index,
    text: wordText(reply, from + index),
    lengthMs: wordMs,
  }));
  return { reply, segments, calls: [] };
}
