/**
 * Owns: the kept drawings of the charts, as `npm run charts` wrote them: nothing is laid out while the service runs.
 * Does not own: how they are made (`scripts/charts`).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChartDrawing } from '../../runtime/ports/operator.ts';

const folder = join(import.meta.dirname, 'drawings');
const files: Record<number, string> = { 0: 'service', 1: 'call-1', 2: 'call-2' };
const read = new Map<number, ChartDrawing>();

/** The call chart of this number, or the service chart for 0; null where none is kept. */
export function drawingOf(number: number): ChartDrawing | null {
  const name = files[number];
  if (name === undefined) return null;
  const known = read.get(number);
  if (known) return known;
  const drawing: ChartDrawing = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  read.set(number, drawing);
  return drawing;
}
