/**
 * Owns: what was said in a call as lines of text, with what was heard of it.
 * Does not own: the lines (`line-views.ts`).
 */
import type { LineView } from '../../runtime/ports/operator.ts';

const unknown = '(not known)';
const erased = '(erased)';

/** `00:07.250 agent: It is ready and you (cut: "can have it")`. The time is from the call's start. */
export function transcriptOf(lines: readonly LineView[], startedAt: number): string[] {
  return lines.map((line) => `${momentOf(line.at - startedAt)} ${line.who}: ${wordsOf(line)}`);
}

function wordsOf(line: LineView): string {
  const { text, outcome } = line;
  if (text === null) return line.erased ? erased : unknown;
  if (line.who === 'tool')
    return `${text}${outcome ? ` -> ${outcome.outcome}: ${outcome.text ?? erased}` : ''}`;
  return line.who === 'agent' ? heardOf(text, line) : text;
}

/** What the caller did not hear stands behind what was heard. */
function heardOf(text: string, { heard, cutSeq }: LineView): string {
  const newest = heard.at(-1);
  if (cutSeq === null || newest === undefined || newest.text === text) return text;
  const rest = text.startsWith(newest.text) ? text.slice(newest.text.length).trim() : text;
  return `${newest.text} (cut: "${rest}")`.trimStart();
}

/** `01:02.345`, minutes first. */
function momentOf(offsetMs: number): string {
  const minutes = Math.floor(offsetMs / 60_000);
  const seconds = ((offsetMs % 60_000) / 1_000).toFixed(3);
  return `${String(minutes).padStart(2, '0')}:${seconds.padStart(6, '0')}`;
}
