/**
 * Owns: what is asked of the model to say words exactly, and to finish them where they were cut.
 * Does not own: that they are owed (the call chart), what was heard (`src/runtime/conversation.ts`).
 *
 * A session of which a reply was truncated, and one that only knows what was heard, have the words no more.
 */
import type { ConversationLine } from '../runtime/conversation.ts';
import { heardLine } from '../runtime/heard-text.ts';

const spokenCharacter = /[\p{L}\p{M}\p{N}]/gu;

const spokenIn = (text: string): string[] =>
  [...text.matchAll(spokenCharacter)].map(([character]) => character.toLowerCase());

/** What follows `heard` in `words`, whatever the transcript made of case and punctuation; null where it is none of it. */
function restAfter(heard: string, words: string): string | null {
  const expected = spokenIn(heard);
  let place = 0;
  for (const { 0: character, index } of words.matchAll(spokenCharacter)) {
    if (place === expected.length) return place === 0 ? words : words.slice(index);
    if (character.toLowerCase() !== expected[place]) return null;
    place++;
  }
  return null;
}

/** What the agent was heard to say since anybody else spoke, by items. */
function heardLast(lines: readonly ConversationLine[]): string[] {
  const other = lines.findLastIndex(({ kind }) => kind !== 'agent');
  return lines.slice(other + 1).flatMap((line) => (line.kind === 'agent' ? [heardLine(line)] : []));
}

/** Other words may have been said before these. */
function restOf(words: string, heard: readonly string[]): string | null {
  for (const start of heard.keys()) {
    const rest = restAfter(heard.slice(start).join(' '), words);
    if (rest !== null) return rest;
  }
  return heard.length === 0 ? words : null;
}

export const taskToSay = (words: string): string => `Say exactly these words, and nothing else: "${words}"`;

export function taskToFinish(words: string, lines: readonly ConversationLine[]): string {
  const heard = heardLast(lines);
  const rest = restOf(words, heard);
  if (rest === words) return taskToSay(words);
  if (rest !== null)
    return `The line was interrupted while you spoke. Go on with exactly these words, and nothing else: "${rest}"`;
  const last = heard.findLast((text) => text !== '') ?? '';
  return (
    `You were to say exactly these words: "${words}" The line was interrupted, and this is what the caller heard of it: ` +
    `"${last}" Say what is left of them, word for word, and nothing else. If nothing is left, say their last sentence again.`
  );
}
