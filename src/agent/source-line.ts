/**
 * Owns: finding the line of a file's text that holds a property of its default export, for an error message.
 * Does not own: what is wrong there.
 *
 * It reads the text as a person who skims it would: brackets, commas, names. What it cannot follow (a computed key,
 * a spread, an imported part) ends the search, and the line reached so far is the answer.
 *
 * Invariants:
 * O1. It never throws, and always answers with a line of the text, counted from 1.
 */

const defaultExport = /\bexport\s+default\s+|\bmodule\.exports\s*=\s*/;

/** Comments, strings, templates, regular expressions: their brackets and commas mean nothing. */
const opaque =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=[(,=:[!&|?{};]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//g;

/** A value's beginning, and the beginning of what declares it. Both are offsets into the text. */
interface Place {
  value: number;
  declared: number;
}

/** The line of the property at `path` under the default export, or of the deepest part of the path that is there. */
export function lineOf(source: string, path: readonly PropertyKey[]): number {
  const text = blank(source);
  const exported = defaultExport.exec(text);
  if (!exported) return 1;
  let place: Place = { value: exported.index + exported[0].length, declared: exported.index };
  for (const key of path) {
    const holder = follow(text, place);
    const member = holder && memberOf(source, text, holder.value, key);
    if (holder) place = member ?? { ...place, declared: holder.declared };
    if (!member) break;
  }
  return lineAt(source, place.declared);
}

/** 1 for the first line. */
const lineAt = (source: string, offset: number): number => source.slice(0, offset).split('\n').length;

/** The text with what is opaque overwritten: comments by spaces, the rest by underscores. Offsets stay. */
const blank = (source: string): string =>
  source.replace(opaque, (match) =>
    /^\/[/*]/.test(match) ? match.replace(/[^\n]/g, ' ') : match.replace(/[^\n]/g, '_'),
  );

/** From a name, a call such as `defineAgent(...)` or a function to the object or list that it stands for. */
function follow(text: string, from: Place): Place | null {
  let place = from;
  for (let hops = 0; hops < 10; hops++) {
    const rest = text.slice(place.value);
    if (/^[{[]/.test(rest)) return place;
    const next = insideCall(rest) ?? returned(rest);
    const moved = next === null ? declarationOf(text, rest) : { ...place, value: place.value + next };
    if (!moved) return null;
    place = moved;
  }
  return null;
}

/** Offset of the first argument of a call. */
const insideCall = (rest: string): number | null =>
  /^[\w$.]+\(\s*(?=[{[(\w$])/.exec(rest)?.[0].length ?? null;

/** Offset of what a function gives back. */
function returned(rest: string): number | null {
  if (!/^(?:async\b|function\b|\(|[\w$]+\s*=>)/.test(rest)) return null;
  const match = /=>\s*\(\s*(?=\{)|=>\s*(?=[\w$])|\breturn\s+\(?\s*(?=[{\w$])/.exec(rest);
  return match && match.index + match[0].length;
}

function declarationOf(text: string, rest: string): Place | null {
  const name = /^[A-Za-z_$][\w$]*/.exec(rest)?.[0];
  if (name === undefined) return null;
  const escaped = name.replaceAll('$', '\\$');
  const match = new RegExp(
    `\\b(?:const|let|var)\\s+${escaped}\\b[^=;]*=\\s*|\\b(?:async\\s+)?(?=function\\s+${escaped}\\b)`,
  ).exec(text);
  return match && { declared: match.index, value: match.index + match[0].length };
}

function memberOf(source: string, text: string, open: number, key: PropertyKey): Place | null {
  const starts = membersOf(text, open);
  if (typeof key === 'number') {
    const start = starts[key];
    return text[open] === '[' && start !== undefined ? { declared: start, value: start } : null;
  }
  for (const start of starts) {
    const match = /^(?:async\s+)?(?:(['"])(?<quoted>.*?)\1|(?<plain>[\w$]+))\s*(?<colon>:\s*)?/.exec(
      source.slice(start),
    );
    if (!match || (match.groups?.quoted ?? match.groups?.plain) !== key) continue;
    return { declared: start, value: match.groups?.colon === undefined ? start : start + match[0].length };
  }
  return null;
}

/** Where the members of the bracket at `open` begin. */
function membersOf(text: string, open: number): number[] {
  const starts: number[] = [];
  let depth = 0;
  let expected = false;
  for (let at = open; at < text.length; at++) {
    const character = text[at] ?? '';
    if ('}])'.includes(character) && --depth === 0) break;
    if (expected && !/\s/.test(character)) {
      starts.push(at);
      expected = false;
    }
    if ('{[('.includes(character)) depth++;
    if (depth === 1 && (at === open || character === ',')) expected = true;
  }
  return starts;
}
