/**
 * Owns: the table that a drill prints, within 100 columns, and its form in the documentation.
 * Does not own: what is in it (`verdict.ts`).
 */
import { addFigures, type FleetFigures } from './fleet-figures.ts';
import type { Row } from './verdict.ts';

/** The smallest value that so many of a hundred are not above; null of nothing. */
export function percentile(values: readonly number[], percent: number): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? null;
}

interface Column<Shown = Row> {
  /** In the documentation, and in a terminal. */
  heading: string;
  short: string;
  width: number;
  cell(row: Shown): string;
}

function quantiles(values: readonly number[]): string {
  const shown = [percentile(values, 50), percentile(values, 99), percentile(values, 100)];
  return shown.map((value) => (value === null ? '–' : String(Math.round(value)))).join('/');
}

const labelOf = ({ name, policy }: Row): string => (policy === null ? name : `${name} ${policy}`);

const count = (heading: string, short: string, of: (row: Row) => number): Column => ({
  heading,
  short,
  width: Math.max(4, short.length),
  cell: (row) => String(of(row)),
});

const columns: readonly [Column, ...Column[]] = [
  { heading: 'drill', short: 'drill', width: 23, cell: labelOf },
  count('calls', 'calls', ({ calls }) => calls),
  count('completed in conversation', 'talk', ({ completed }) => completed),
  count('ended with true reason', 'end', ({ ended }) => ended),
  count('dropped', 'drop', ({ dropped }) => dropped),
  {
    heading: 'gap p50/p99/max, ms',
    short: 'gap 50/99/max',
    width: 16,
    cell: ({ gapsMs }) => quantiles(gapsMs),
  },
  {
    heading: "beyond the twin's Twilio, ms",
    short: 'beyond Twilio',
    width: 16,
    cell: ({ beyondMs }) => quantiles(beyondMs),
  },
  count('words lost', 'lost', ({ wordsLost }) => wordsLost),
  count('said twice', 'twice', ({ saidTwice }) => saidTwice),
  count('tools run twice', 'tools', ({ toolsTwice }) => toolsTwice),
  count('leaks', 'leak', ({ leaks }) => leaks),
];

type FleetRow = Row & { fleet: FleetFigures };

const fleetColumns: readonly Pick<Column<FleetRow>, 'heading' | 'cell'>[] = [
  { heading: 'drill', cell: labelOf },
  {
    heading: 'taken over after p50/p99/max, ms',
    cell: ({ fleet: { takeoversMs } }) => quantiles(takeoversMs),
  },
  {
    heading: "beyond the twin's Twilio, ms",
    cell: ({ fleet: { takeoversBeyondMs } }) => quantiles(takeoversBeyondMs),
  },
  { heading: 'acknowledged entries', cell: ({ fleet }) => String(fleet.acknowledged) },
  { heading: 'lost', cell: ({ fleet }) => String(fleet.lost) },
  { heading: 'holes in any log', cell: ({ fleet }) => String(fleet.holes) },
  { heading: 'two writers', cell: ({ fleet }) => String(fleet.secondWriters) },
  { heading: 'feed gaps', cell: ({ fleet }) => String(fleet.feedGaps) },
];

/** The first column reads from the left, the others from the right. */
const inLine = (cellOf: (column: Column) => string): string =>
  columns
    .map((column, index) =>
      index === 0 ? cellOf(column).padEnd(column.width) : cellOf(column).padStart(column.width),
    )
    .join(' ');

export const headLine = (): string => inLine(({ short }) => short);
export const rowLine = (row: Row): string => inLine(({ cell }) => cell(row));

/** Rows of the same drill and policy, from several runs, as one. */
export function merge(rows: readonly Row[]): Row[] {
  const merged = new Map<string, Row>();
  for (const row of rows) {
    const known = merged.get(labelOf(row));
    merged.set(labelOf(row), known ? addUp(known, row) : row);
  }
  return [...merged.values()];
}

const addUp = (one: Row, other: Row): Row => ({
  name: one.name,
  policy: one.policy,
  calls: one.calls + other.calls,
  completed: one.completed + other.completed,
  ended: one.ended + other.ended,
  dropped: one.dropped + other.dropped,
  gapsMs: [...one.gapsMs, ...other.gapsMs],
  beyondMs: [...one.beyondMs, ...other.beyondMs],
  wordsLost: one.wordsLost + other.wordsLost,
  saidTwice: one.saidTwice + other.saidTwice,
  toolsTwice: one.toolsTwice + other.toolsTwice,
  leaks: one.leaks + other.leaks,
  fleet: one.fleet && other.fleet && addFigures(one.fleet, other.fleet),
  broken: [...one.broken, ...other.broken],
  notes: [...one.notes, ...other.notes],
});

const cellsLine = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const grid = <Shown extends Row>(
  columns: readonly Pick<Column<Shown>, 'heading' | 'cell'>[],
  rows: readonly Shown[],
): string =>
  [
    cellsLine(columns.map(({ heading }) => heading)),
    cellsLine(columns.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...rows.map((row) => cellsLine(columns.map(({ cell }) => cell(row)))),
  ].join('\n');

/** As Markdown, with a second table where several machines were at work. */
export function markdown(rows: readonly Row[]): string {
  const ofFleets = rows.filter((row): row is FleetRow => row.fleet !== null);
  return [grid(columns, rows), ...(ofFleets.length > 0 ? [grid(fleetColumns, ofFleets)] : [])].join('\n\n');
}

/** Puts a table between the two markers that bear its name. @throws Error where they are not there */
export function replaceTable(document: string, table: string, name: 'drills' | 'fleet' = 'drills'): string {
  const begin = `<!-- ${name}: begin -->`;
  const from = document.indexOf(begin);
  const until = document.indexOf(`<!-- ${name}: end -->`);
  if (from < 0 || until < from) throw new Error('the document has no place for the table');
  return `${document.slice(0, from + begin.length)}\n${table}\n${document.slice(until)}`;
}
