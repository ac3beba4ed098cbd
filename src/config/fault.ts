/**
 * Owns: what is told to a person whose configuration is missing something or wrong.
 * Does not own: finding it out.
 *
 * Invariants:
 * F1. No value of a variable is in a fault, nor in the error, so none can be printed.
 */
import { FixCallError } from '../runtime/ports/errors.ts';
import type { Variable } from './variable.ts';

export interface ConfigurationFault {
  /** The variable, or the file, at fault. */
  name: string;
  /** Completes the sentence that the name begins. */
  problem: string;
  purpose: string;
  origin: string | null;
}

export const faultOf = (
  name: string,
  { purpose, origin }: Variable,
  problem: string,
): ConfigurationFault => ({
  name,
  problem,
  purpose,
  origin,
});

/** Everything that is missing or wrong, at once. Its message is the text for the terminal. */
export class InvalidConfiguration extends FixCallError {
  readonly faults: readonly ConfigurationFault[];

  constructor(faults: readonly ConfigurationFault[]) {
    super('configuration.invalid', describeFaults(faults));
    this.faults = faults;
  }
}

/** The faults as lines that a person can act on. */
export function describeFaults(faults: readonly ConfigurationFault[]): string {
  const count = faults.length === 1 ? 'One setting needs' : `${faults.length} settings need`;
  return [
    `${count} your attention.`,
    ...faults.map(describeFault),
    'Set variables in the environment or in a file .env; .env.example describes each of them.',
  ].join('\n\n');
}

const describeFault = ({ name, problem, purpose, origin }: ConfigurationFault): string =>
  [
    `  ${name} ${problem}.`,
    `    What it is for: ${purpose}`,
    ...(origin === null ? [] : [`    Where to get it: ${origin}`]),
  ].join('\n');
