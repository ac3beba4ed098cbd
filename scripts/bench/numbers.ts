/** Owns: the command line of a benchmark that takes numbers and nothing else. */

/** One for each default, in order. Null: these words are none, or one is less than `least`. */
export function numbersFrom(
  words: readonly string[],
  defaults: readonly number[],
  least: number,
): number[] | null {
  if (words.length > defaults.length || words.some((word) => !/^[1-9]\d*$/.test(word))) return null;
  const numbers = defaults.map((initial, index) => Number(words[index] ?? initial));
  return numbers.every((number) => number >= least) ? numbers : null;
}

/** Ends the process where the words are no such numbers, or ask for help. @param least that each may be */
export function readNumbers(usage: string, defaults: readonly number[], least = 1): number[] {
  const words = process.argv.slice(2);
  const numbers = numbersFrom(words, defaults, least);
  if (numbers) return numbers;
  const isHelp = words.includes('--help') || words.includes('-h');
  if (isHelp) console.log(usage);
  else console.error(usage);
  return process.exit(isHelp ? 0 : 2);
}
