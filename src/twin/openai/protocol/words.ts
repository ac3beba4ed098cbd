/** Owns: cutting a text into the pieces in which the service sends it: words and marks, with the space before. */

const piece = /\s*[\p{L}\p{N}]+|\s*[^\p{L}\p{N}\s]|\s+$/gu;

/** The pieces of a text; joined they are the text. */
export const piecesOf = (text: string): string[] => text.match(piece) ?? [];
