/** Owns: chart 1 as this version keeps it. */
import { commands } from './1/commands.ts';
import { machine } from './1/machine.ts';
import { chartNumber } from './1/setup.ts';
import type { Chart } from './chart.ts';

export const chart1: Chart = {
  number: chartNumber,
  format: 1,
  machine: machine as unknown as Chart['machine'],
  commands,
  carry: null,
};
