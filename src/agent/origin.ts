/**
 * Owns: the file that an agent comes from, and how a fault in it is told: file, line, what is wrong, the line itself.
 * Does not own: finding faults.
 */
import { FixCallError } from '../runtime/ports/errors.ts';
import { lineOf } from './source-line.ts';

/** One thing that is wrong with a definition. `path` leads to the property. */
export interface DefinitionIssue {
  path: readonly PropertyKey[];
  message: string;
}

export class AgentOrigin {
  /** As the person named it. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  readonly #source: string;

  constructor(file: string, path: string, source: string) {
    this.file = file;
    this.path = path;
    this.#source = source;
  }

  /** Something is wrong at `line` (from 1), or with the file as a whole. */
  fault(message: string, line: number | null = null): FixCallError {
    return this.#faultOf([line === null ? `${this.file}: ${message}` : this.#describe(message, line)]);
  }

  /** Properties of the default export are wrong: each is told with its line. */
  definitionFault(issues: readonly DefinitionIssue[]): FixCallError {
    return this.#faultOf(
      issues.map(({ path, message }) =>
        this.#describe(`${nameOf(path)} ${message}`, lineOf(this.#source, path)),
      ),
    );
  }

  /** The line that imports `name`, or null. */
  findImport(name: string): number | null {
    const isImport = (line: string) => /\b(?:import|from|require)\b/.test(line) && line.includes(name);
    const index = this.#source.split('\n').findIndex(isImport);
    return index < 0 ? null : index + 1;
  }

  #describe(message: string, line: number): string {
    const content = this.#source.split('\n')[line - 1] ?? '';
    return `${this.file}:${line}: ${message}\n  ${line} | ${content.slice(0, 200)}`;
  }

  #faultOf(descriptions: readonly string[]): FixCallError {
    return new FixCallError('agent.invalid', ['The agent cannot be used.', ...descriptions].join('\n'));
  }
}

/** `['tools', 1, 'name']` -> `tools[1].name` */
function nameOf(path: readonly PropertyKey[]): string {
  const steps = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  return steps.join('').replace(/^\./, '') || 'the default export';
}
