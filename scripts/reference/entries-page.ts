/**
 * Owns: the page about the entries of a call's log.
 * Does not own: what is known of an entry (`entry-docs.ts`).
 */
import { graphOf } from '../../src/console/charts/graph.ts';
import { current } from '../../src/machines/charts/table.ts';
import { entryFormat } from '../../src/machines/entries.ts';
import { type EntryDoc, entryDocs, type FieldDoc } from './entry-docs.ts';

const intro = `# Entries of a call’s log

Written by \`npm run reference\` from \`src/machines/entries.ts\`; a test fails where it differs.

A log is read with \`npx holdfast show <callId>\`, in the console, and in [an export](../export.md). Each entry has a \`seq\`,
which counts from 1 without holes, an \`at\` in milliseconds since the Unix epoch, which never goes back, and its \`type\`.
Durations are in milliseconds. A field of the type *payload* holds a size in bytes: the content is personal data, lies
beside the log under the entry’s \`seq\` and the field’s name, and can be erased.

What follows from an entry is drawn in [the call chart](../charts/call-${current.number}.md). The regions that react to it are named
below: those of \`live\`, the other states of a call, and \`call\` for what lies above them all. A chart begins with
\`call.created\` or \`chart.changed\`; any other entry without a region changes no state, and is kept for whoever reads the
log and for what the agent remembers. This is entry format ${entryFormat}.
`;

/** The region of a path like `live.carrier.streaming`, or the state outside of all regions. */
function regionOf(path: string): string {
  const [first, region] = path.split('.');
  return (first === 'live' ? region : first) || 'call';
}

/** What the end of a wait is called in the log. */
const entryOf = (event: string): string => (event.startsWith('xstate.after.') ? 'timer.elapsed' : event);

/** Regions whose states react to an entry, in the order of the chart. */
function reactions(): Map<string, Set<string>> {
  const regions = new Map<string, Set<string>>();
  for (const { id } of graphOf(current.machine).edges) {
    const [from = '', event = ''] = id.split('|');
    const type = entryOf(event);
    regions.set(type, (regions.get(type) ?? new Set()).add(regionOf(from)));
  }
  return regions;
}

const rowOf = ({ name, type, words }: FieldDoc): string => `| \`${name}\` | ${type} | ${words} |`;

function entryText({ type, words, fields }: EntryDoc, reacting: ReadonlySet<string>): string {
  const table = fields.length === 0 ? [] : ['', '| field | type | |', '|---|---|---|', ...fields.map(rowOf)];
  const where = reacting.size === 0 ? [] : ['', `Regions that react: ${[...reacting].join(', ')}.`];
  return [`### \`${type}\``, '', words, ...table, ...where, ''].join('\n');
}

export function entriesPage(): string {
  const reacting = reactions();
  const docs = entryDocs();
  const parts = [...Map.groupBy(docs, ({ section }) => section)].map(([section, entries]) =>
    [
      `## ${section}`,
      '',
      ...entries.map((entry) => entryText(entry, reacting.get(entry.type) ?? new Set())),
    ].join('\n'),
  );
  return `${intro}\n${parts.join('\n')}`;
}
