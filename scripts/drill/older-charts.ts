/** Owns: the charts of an older version, in the place of `src/machines/charts/table.ts`: chart 1 alone. */
import { chart1 } from '../../src/machines/charts/chart-1.ts';

export const current = chart1;
export const charts = [chart1];
