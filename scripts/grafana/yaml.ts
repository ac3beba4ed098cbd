/**
 * Owns: writing plain data as YAML 1.2: blocks, and every string that is no plain word in quotes.
 * Does not own: what is written.
 */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml };

/** Words that YAML takes for themselves; what looks like a number, a truth or a list is quoted. */
const plain = /^[A-Za-z_/][\w./-]*(?: [\w./-]+)*$/;
const notWords = /^(?:true|false|yes|no|on|off|null|y|n)$/i;

const isBlock = (value: Yaml): value is readonly Yaml[] | { readonly [key: string]: Yaml } =>
  typeof value === 'object' && Object.keys(value).length > 0;

/** Single quotes where they save every escape; else double ones, as JSON has them. */
function quoted(text: string): string {
  const isBare = text.includes('"') && !/['\\\n]/.test(text);
  return isBare ? `'${text}'` : JSON.stringify(text);
}

function scalar(value: Yaml): string {
  if (typeof value === 'object') return Array.isArray(value) ? '[]' : '{}';
  if (typeof value !== 'string') return String(value);
  return plain.test(value) && !notWords.test(value) ? value : quoted(value);
}

function linesOf(value: Yaml): string[] {
  if (!isBlock(value)) return [scalar(value)];
  if (Array.isArray(value)) return (value as readonly Yaml[]).flatMap(itemLines);
  return Object.entries(value).flatMap(([key, each]) => keyLines(scalar(key), each));
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

function itemLines(item: Yaml): string[] {
  const [first = '', ...rest] = linesOf(item);
  return [`- ${first}`, ...indented(rest)];
}

function keyLines(key: string, value: Yaml): string[] {
  if (isBlock(value)) return [`${key}:`, ...indented(linesOf(value))];
  if (typeof value === 'string' && value.includes('\n'))
    return [`${key}: |-`, ...indented(value.split('\n'))];
  return [`${key}: ${scalar(value)}`];
}

/** @param head comment lines at the top */
export const toYaml = (value: Yaml, head: readonly string[]): string =>
  `${[...head.map((line) => `# ${line}`), ...linesOf(value)].join('\n')}\n`;
