/** Owns: cutting a text into the pieces in which the service sends it: words and marks, with the space before. */

const piece = /\s*[\p{L}\p{N}]+|\s*[^\p{L}\p{N}\s]|\s+$/gu;

/** The pieces of a text, of so many words and marks each; joined they are the text. */
export function piecesOf(text: string, words = 1): string[] {
  const pieces: string[] = text.match(piece) ?? [];
  if (words === 1) return pieces;
  const count = Math.ceil(pieces.length / words);
  return Array.from({ length: count }, (_, index) =>
    pieces.slice(index * words, (index + 1) * words).join(''),
  );
}
