/**
 * Owns: what a new session must know of each line of a conversation.
 * Does not own: the lines (`conversation.ts`), what a session was told later (`src/service/unseeded-lines.ts`).
 *
 * Invariants:
 * H5. Of a turn that was answered, and whose words nobody can tell any more, a note says so: its sound is not given to the
 *     next session again.
 */
import { hangUpTool } from '../machines/call/context.ts';
import type { ConversationLine } from './conversation.ts';
import { heardLine } from './heard-text.ts';
import type { HistoryItem } from './ports/model.ts';

const beginningLost =
  'The line was interrupted here while the caller spoke, and the beginning of what the caller says next was not heard. ' +
  'Where it does not make sense without it, say so, and ask the caller to say it again.';

const wordsLost =
  'The caller said something here whose words are not known any more. Where they are needed, ask the caller for them.';

/** Of an answer of which no more was heard, little says what the question was, and all may be said again. */
export const mostSaidTwiceMs = 1_200;

/** What a session must know of a line. */
export interface Remembered {
  line: ConversationLine;
  item: HistoryItem;
}

/** @param untold items of the agent that are left out */
export function memoryOf(lines: readonly ConversationLine[], untold: ReadonlySet<string>): Remembered[] {
  const calls = new Set(lines.flatMap((line) => (line.kind === 'toolCall' ? [line.toolCallId] : [])));
  return lines.flatMap((line, place) => {
    const item = itemOf(line, calls, untold) ?? noteOn(line, lines, place);
    return item ? [{ line, item }] : [];
  });
}

function itemOf(
  line: ConversationLine,
  toolCalls: ReadonlySet<string>,
  untold: ReadonlySet<string>,
): HistoryItem | null {
  if (line.kind === 'caller') return line.text ? { kind: 'speech', role: 'caller', text: line.text } : null;
  if (line.kind === 'agent') {
    const text = untold.has(line.itemId) ? '' : heardLine(line);
    return text === '' ? null : { kind: 'speech', role: 'agent', text };
  }
  const { toolCallId } = line;
  if (line.kind === 'toolResult') {
    const output = line.output ?? line.outcome;
    return toolCalls.has(toolCallId) ? { kind: 'toolResult', toolCallId, output } : null;
  }
  // Its outcome is in no log: it was answered by what became of the call.
  if (line.name === hangUpTool) return null;
  return { kind: 'toolCall', toolCallId, name: line.name, arguments: line.arguments ?? '{}' };
}

/** On a turn without words. */
function noteOn(
  line: ConversationLine,
  lines: readonly ConversationLine[],
  place: number,
): HistoryItem | null {
  if (line.kind !== 'caller' || line.text) return null;
  if (line.isCut) return { kind: 'note', text: beginningLost };
  return line.isWordless && isAnswered(lines, place) ? { kind: 'note', text: wordsLost } : null;
}

function isAnswered(lines: readonly ConversationLine[], place: number): boolean {
  const next = lines.findIndex(({ kind }, index) => index > place && kind === 'caller');
  return lines.slice(place + 1, next < 0 ? lines.length : next).some(isAnswer);
}

/** Whoever heard the turn again would begin it once more. */
function isAnswer(line: ConversationLine): boolean {
  if (line.kind !== 'agent') return line.kind === 'toolCall';
  const isGoneOnWith = heardLine(line) !== '' && line.playedMs > mostSaidTwiceMs;
  return line.isSounded && (line.isFinished || isGoneOnWith);
}
