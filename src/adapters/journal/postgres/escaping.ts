/**
 * Owns: texts that PostgreSQL cannot hold as they are: it takes no NUL, and JSON text no half of a surrogate pair.
 * Does not own: which texts are escaped: contents of payloads, and what is looked for in them.
 *
 * A NUL becomes U+FFFF, which is no character and so in no text that people write; it and the escape itself are escaped.
 * So a part of a text is found in the escaped text by its escaped form.
 */
const nul = '\u0000';
const standsForNul = '\uffff';
const escapeCharacter = '\ufffe';

const toEscape = new RegExp(`[${nul}${standsForNul}${escapeCharacter}]`, 'g');
const escaped = new RegExp(`${escapeCharacter}(.)|${standsForNul}`, 'gu');

/** As UTF-8 writes it, half of a surrogate pair becomes U+FFFD. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(toEscape, (character) => (character === nul ? standsForNul : escapeCharacter + character));
}

export function unescapeText(text: string): string {
  return text.replace(escaped, (_, character: string | undefined) => character ?? nul);
}
