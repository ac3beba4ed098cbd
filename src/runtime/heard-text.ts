/**
 * Owns: what of an agent's line the caller heard, in words.
 * Does not own: how much was played (`conversation.ts`).
 *
 * Invariants: H1 of `conversation.ts`.
 */
import type { AgentLine } from './conversation.ts';

/** Words of any language, also where no space parts them (UAX #29); the locale is named because logs travel. */
const words = new Intl.Segmenter('en', { granularity: 'word' });
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The part of `text` that fits into `share` of it, up to the last whole word. */
export function heardText(text: string, share: number): string {
  if (share >= 1) return text;
  const inWords = words.segment(text);
  const inGraphemes = graphemes.segment(text);
  const startIn = (segments: Intl.Segments, index: number): number => segments.containing(index)?.index ?? 0;
  let end = startIn(inWords, Math.floor(text.length * share));
  while (end > 0) {
    const last = inWords.containing(end - 1);
    if (last?.segment.trim() && startIn(inGraphemes, end) === end) break;
    end = last?.index ?? 0;
  }
  return text.slice(0, end);
}

/** The text of an agent's line as the caller heard it (H1). */
export function heardLine(line: AgentLine): string {
  const { text, heard, receivedMs } = line;
  if (text === null) return '';
  if (heard === 'whole') return text;
  return receivedMs === 0 ? '' : heardText(text, heardShare(line, text.length));
}

/** The model writes faster than it speaks: of a reply that was still coming, the share of the audio is too much text. */
function heardShare(line: AgentLine, characters: number): number {
  const { receivedMs, playedMs, isMeasured, charactersPerMs } = line;
  const shareOfAudio = playedMs / receivedMs;
  return isMeasured ? shareOfAudio : Math.min(shareOfAudio, (playedMs * charactersPerMs) / characters);
}
