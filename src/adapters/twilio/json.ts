/** Owns: reading text of a far side that should be JSON and may be anything. */

/** Undefined, which JSON has no word for, where the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
