/** Recorded sessions with the live service, where they lie beside the project: found, and read from YAML. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WireEvent } from './client.ts';

export interface Recording {
  name: string;
  messages: { direction: 'sent' | 'received'; event: WireEvent }[];
}

/** All recordings, or none where there is no folder of them. */
export function readRecordings(): Recording[] {
  const folder = findFolder(dirname(fileURLToPath(import.meta.url)));
  if (folder === null) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ name, messages: messagesOf(readFileSync(join(folder, name), 'utf8')) }));
}

function findFolder(from: string): string | null {
  const project = findProject(from);
  const folder = join(project, '../shared/recordings/openai-realtime');
  return existsSync(folder) ? folder : null;
}

const findProject = (from: string): string =>
  existsSync(join(from, 'package.json')) ? from : findProject(dirname(from));

function messagesOf(yaml: string): Recording['messages'] {
  const { interactions } = readYaml(yaml) as {
    interactions: { direction: 'sent' | 'received'; data: WireEvent }[];
  };
  return interactions.map(({ direction, data }) => ({ direction, event: data }));
}

interface Line {
  indent: number;
  text: string;
}

/** The part of YAML that the recordings use: block maps and lists, plain and quoted scalars on several lines. */
export function readYaml(yaml: string): unknown {
  return new YamlReader(yaml).readBlock(0);
}

class YamlReader {
  readonly #lines: Line[];
  #at = 0;

  constructor(yaml: string) {
    this.#lines = yaml
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => ({ indent: line.search(/\S/), text: line.trim() }));
  }

  readBlock(indent: number): unknown {
    const line = this.#lines[this.#at];
    if (line === undefined || line.indent < indent) return null;
    return line.text.startsWith('- ') ? this.#readList(line.indent) : this.#readMap(line.indent);
  }

  #readList(indent: number): unknown[] {
    const values: unknown[] = [];
    for (let line = this.#lines[this.#at]; line?.indent === indent && line.text.startsWith('- '); ) {
      // What follows the dash is a block of its own, two columns further in.
      this.#lines[this.#at] = { indent: indent + 2, text: line.text.slice(2) };
      values.push(
        isEntry(line.text.slice(2))
          ? this.#readMap(indent + 2)
          : this.#readScalar(indent, line.text.slice(2)),
      );
      line = this.#lines[this.#at];
    }
    return values;
  }

  #readMap(indent: number): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (let line = this.#lines[this.#at]; line?.indent === indent && isEntry(line.text); ) {
      const [, key = '', rest = ''] = /^([^:]+):(?: (.*))?$/.exec(line.text) ?? [];
      values[key] = rest === '' ? this.#readNested(indent) : this.#readScalar(indent, rest);
      line = this.#lines[this.#at];
    }
    return values;
  }

  /** A list may stand in the column of its key. */
  #readNested(indent: number): unknown {
    this.#at += 1;
    const next = this.#lines[this.#at];
    const isListHere = next?.indent === indent && next.text.startsWith('- ');
    return this.readBlock(isListHere ? indent : indent + 1);
  }

  #readScalar(indent: number, first: string): unknown {
    let text = first;
    this.#at += 1;
    for (let line = this.#lines[this.#at]; line !== undefined && line.indent > indent; ) {
      if (isComplete(text)) break;
      text += ` ${line.text}`;
      this.#at += 1;
      line = this.#lines[this.#at];
    }
    return scalarOf(text);
  }
}

const isEntry = (text: string): boolean => /^[A-Za-z_][\w.]*:(?: |$)/.test(text);

const isComplete = (text: string): boolean =>
  (text.startsWith("'") && /^'(?:[^']|'')*'$/.test(text)) ||
  (text.startsWith('"') && /^"(?:[^"\\]|\\.)*"$/.test(text)) ||
  text === '[]' ||
  text === '{}';

function scalarOf(text: string): unknown {
  if (text === '[]') return [];
  if (text === '{}') return {};
  if (text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (text.startsWith('"')) return JSON.parse(text);
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
