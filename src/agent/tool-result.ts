/** Owns: the text that the model gets for what a tool gave back. */

/** In bytes of UTF-8, the note that something was cut included. */
export const resultLimit = 32_768;

const cutNote = '\n[The rest was cut off: the result was longer than 32 kB.]';

/**
 * A string as it is, nothing as `Done.`, anything else as JSON. Never throws. Half of a surrogate pair becomes U+FFFD:
 * JSON can name it, but a reader may refuse the whole message for it, and the log could not give it back.
 */
export function resultText(value: unknown): string {
  return bounded((typeof value === 'string' ? value : writeJson(value)).toWellFormed());
}

function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'Done.';
  } catch {
    return 'Done. The result cannot be written as text.';
  }
}

function bounded(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= resultLimit) return text;
  const kept = bytes.subarray(0, resultLimit - cutNote.length);
  // A character that was cut in two is left out, not replaced.
  return new TextDecoder().decode(kept, { stream: true }) + cutNote;
}
