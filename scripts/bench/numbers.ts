/** Owns: the command line of a benchmark that takes numbers and nothing else. */

/** One for each default, in order. Null: these words are none. */
export function numbersFrom(words: readonly string[], defaults: readonly number[]): number[] | null {
  if (words.length > defaults.length || words.some((word) => !/^[1-9]\d*$/.test(word))) return null;
  return defaults.map((initial, index) => Number(words[index] ?? initial));
}

/** Ends the process where the words are no such numbers, or ask for help. */
export function readNumbers(usage: string, defaults: readonly number[]): number[] {
  const words = process.argv.slice(2);
  const numbers = numbersFrom(words, defaults);
  if (numbers) return numbers;
  const isHelp = words.includes('--help') || words.includes('-h');
  if (isHelp) console.log(usage);
  else console.error(usage);
  return process.exit(isHelp ? 0 : 2);
}
