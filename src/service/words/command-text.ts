/** Owns: one command as a line that a person reads. */
import type { Command } from '../../machines/commands.ts';

/** `openModel (generation 2)`. */
export const formatCommand = ({ type, params }: Command): string => {
  const values = Object.entries(params).map(([name, value]) => `${name} ${String(value)}`);
  return values.length === 0 ? type : `${type} (${values.join(', ')})`;
};
