/**
 * Owns: what of a line of the transcript was known at an entry: its words, how much of them was heard, whether it was cut.
 * Does not own: how it is shown (`transcript.ts`).
 */
import type { LineView } from '../../../runtime/ports/operator.ts';
import { lastIndexAt } from './call-model.ts';

export interface LineState {
  heard: string;
  /** What was never heard of it, or not yet. */
  unheard: string;
  isErased: boolean;
  isCut: boolean;
  outcome: { outcome: string; text: string | null } | null;
}

export function lineAt(line: LineView, seq: number): LineState {
  const { text, textSeq, erased, cutSeq, outcome } = line;
  const isKnown = textSeq !== null && textSeq <= seq;
  const whole = isKnown ? (text ?? '') : '';
  const heard = line.who === 'agent' ? heardAt(line, whole, seq) : whole;
  return {
    heard,
    unheard: whole.slice(heard.length),
    isErased: erased && isKnown,
    isCut: cutSeq !== null && cutSeq <= seq,
    outcome: outcome && outcome.seq <= seq ? outcome : null,
  };
}

function heardAt({ heard }: LineView, whole: string, seq: number): string {
  const last = heard[lastIndexAt(heard, seq)];
  if (!last) return '';
  if (last.text !== '' && whole.startsWith(last.text)) return last.text;
  const share = last.receivedMs > 0 ? Math.min(1, last.playedMs / last.receivedMs) : 0;
  return whole.slice(0, Math.floor(whole.length * share));
}
