/**
 * Owns: finding the chart that a log names, what is said of a log that this version cannot fold, and how a call of an
 * older chart goes on in the present one.
 * Does not own: the charts (`src/machines/charts`), the step (`step.ts`).
 *
 * Invariants:
 * C2. A log of a newer version is refused before any of its entries is checked.
 * C3. A call that lives in this process is of the present chart: only a claim can bring in another one, and it changes
 *     the chart first.
 */
import type { Carried, Chart } from '../machines/charts/chart.ts';
import { charts, current } from '../machines/charts/table.ts';
import type { Command } from '../machines/commands.ts';
import type { DraftOf, EntryOf } from '../machines/entries.ts';
import { settingsSchema } from '../machines/settings.ts';
import { GiveUpError } from './ports/errors.ts';
import type { StoredEntry } from './ports/journal.ts';
import { createStepper, type Stepper } from './stepper.ts';

export interface SteppedChart extends Chart {
  stepper: Stepper<Chart['machine'], Command>;
}

const anyCreated: EntryOf<'call.created'> = {
  type: 'call.created',
  seq: 1,
  at: 0,
  format: current.format,
  chart: current.number,
  agent: 'none',
  direction: 'incoming',
  carrierCallId: null,
  from: null,
  to: null,
  traceId: '0'.repeat(32),
  settings: settingsSchema.parse({}),
};

const stepped = new Map<number, SteppedChart>(
  charts.map((chart) => {
    const stepper = createStepper<Chart['machine'], Command>(chart.machine, chart.commands, {
      callId: '',
      created: anyCreated,
    });
    return [chart.number, { ...chart, stepper }];
  }),
);

/** The chart of this number, or null where this version does not keep it. */
export const keptChart = (number: number): SteppedChart | null => stepped.get(number) ?? null;

/** @throws GiveUpError `journal.future`, `journal.past` */
export function chartOf(callId: string, number: number, format: number): SteppedChart {
  if (isFuture(number, format)) throw future(callId, number, format);
  const found = keptChart(number);
  if (found) return found;
  const kept = charts.map((chart) => chart.number).join(' and ');
  throw new GiveUpError(
    'journal.past',
    `call ${callId} was written by an older Holdfast, with chart ${number}; this version keeps ${kept}: the call can be read, but neither replayed nor taken over`,
  );
}

const isFuture = (number: number, format: number): boolean =>
  number > current.number || format > current.format;

const future = (callId: string, number: number, format: number): GiveUpError =>
  new GiveUpError(
    'journal.future',
    `call ${callId} was written by a newer Holdfast, with chart ${number} and entry format ${format}; this version knows them up to ${current.number} and ${current.format}: use the newer one`,
  );

/** @throws GiveUpError `journal.future` */
export function refuseFuture(callId: string, entries: readonly StoredEntry[]): void {
  for (const { type, chart, to, format } of entries) {
    const number = type === 'call.created' ? chart : type === 'chart.changed' ? to : null;
    if (number === null) continue;
    if (isFuture(Number(number), Number(format))) throw future(callId, Number(number), Number(format));
  }
}

/** The entry by which the present chart takes a call of chart `from` over. */
export function changeFrom(from: number, before: Carried): DraftOf<'chart.changed'> {
  const newer = charts.filter(({ number }) => number > from);
  const carried = newer.reduce((state, { carry }) => carry?.(state) ?? state, before);
  const { number: to, format } = current;
  return { type: 'chart.changed', from, to, format, carried: JSON.parse(JSON.stringify(carried)) };
}
