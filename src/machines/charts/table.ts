/**
 * Owns: which call charts this version knows, oldest first: the present one and the one before it, so that a call of the
 * version before can be taken over.
 * Does not own: how a call is stepped (`src/runtime`).
 *
 * A new chart: copy `../call` to a folder named after its number, together with all of the vocabulary that it reads;
 * write how a call of it goes on in the new one; put both here, and let go of the oldest.
 */
import { chartNumber } from '../call/context.ts';
import { callMachine } from '../call/machine.ts';
import { commands } from '../commands.ts';
import { entryFormat } from '../entries.ts';
import { carry1To2 } from './carry-1-to-2.ts';
import type { Chart } from './chart.ts';
import { chart1 } from './chart-1.ts';

/** The chart of new calls, and of every call that is live here. */
export const current: Chart = {
  number: chartNumber,
  format: entryFormat,
  machine: callMachine,
  commands,
  carry: carry1To2,
};

export const charts: readonly Chart[] = [chart1, current];
