/**
 * Owns: one call as one file with everything that is known of it (`docs/export.md`).
 * Does not own: what a turn, a line, a recovery is (`call-projection.ts`), the journal.
 *
 * Invariants:
 * X1. The same journal makes the same bytes: keys have one order, and nothing tells when it was exported.
 * X2. What was erased is null, and what was never there is absent.
 */
import { charts } from '../../machines/charts/table.ts';
import { type Entry, entryFault, referencesOf } from '../../machines/entries.ts';
import { version } from '../../platform/version.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type {
  CallRow,
  InstanceFact,
  Journal,
  Json,
  Payload,
  StoredCommit,
  StoredEntry,
} from '../../runtime/ports/journal.ts';
import type { RecoveryView, TroubleView, TurnView } from '../../runtime/ports/operator.ts';
import { CallProjection } from './call-projection.ts';
import { Slices } from './slices.ts';
import { transcriptOf } from './transcript.ts';

/** Number of this shape: a change that an old reader would stumble over takes a new one. */
export const exportFormat = 1;

/** As many as a journal keeps of one instance. */
const mostFacts = 10_000;

type ExportedEntry = StoredEntry & { payloads?: Record<string, string | null> };

export interface CallExport {
  format: number;
  /** Holdfast's own number, and the numbers of the charts and the entry format that the log names. */
  versions: { exportedBy: string; entryFormats: number[]; charts: number[] };
  call: CallRow;
  /** Digest and definition of the agent that answered; the definition is null where it is not stored. */
  agent: { digest: string; definition: Json | null } | null;
  /** Machine definitions (XState) of the charts that the log names; null where this version does not keep one. */
  charts: { number: number; definition: Json | null }[];
  entries: ExportedEntry[];
  /** The state that was stored with each commit. */
  states: { lastSeq: number; state: Json }[];
  /** A line for each turn, with what was heard of it. */
  transcript: string[];
  turns: (TurnView & { latencyMs: number | null })[];
  recoveries: RecoveryView[];
  troubles: TroubleView[];
  /** The instances that had the call, in their order, and what happened to them from its first entry to its last. */
  instances: { instance: string; facts: Omit<InstanceFact, 'instance'>[] }[];
}

/** @throws FixCallError `call.unknown` */
export async function exportCall(journal: Journal, callId: string): Promise<string> {
  return `${JSON.stringify(await readExport(journal, callId), null, 2)}\n`;
}

async function readExport(journal: Journal, callId: string): Promise<CallExport> {
  const [row] = await journal.list({ callId, limit: 1 });
  if (!row) throw new FixCallError('call.unknown', `There is no call ${callId}.`);
  const { commits } = await journal.read(callId, { fromStart: true });
  // Read after the entries: what is not there any more was erased.
  const payloads = await journal.readPayloads(callId);
  const entries = commits.flatMap((commit) => commit.entries);
  const bySeq = Map.groupBy(payloads, ({ seq }) => seq);
  const view = await project(row, commits, bySeq);
  const chartNumbers = numbersIn(entries, 'chart', 'to');
  return {
    format: exportFormat,
    versions: {
      exportedBy: version,
      entryFormats: numbersIn(entries, 'format', 'format'),
      charts: chartNumbers,
    },
    call: row,
    agent: await readAgent(journal, entries[0]),
    charts: chartNumbers.map((number) => ({ number, definition: definitionOf(number) })),
    entries: await withContents(entries, bySeq),
    states: commits.map(({ entries: own, state }) => ({ lastSeq: own.at(-1)?.seq ?? 0, state })),
    transcript: transcriptOf(view.lines, row.startedAt),
    turns: view.turns.map((turn) => ({ ...turn, latencyMs: latencyOf(turn) })),
    recoveries: view.recoveries,
    troubles: view.troubles,
    instances: await readInstances(journal, entries),
  };
}

type PayloadsBySeq = ReadonlyMap<number, Payload[]>;

async function project(row: CallRow, commits: readonly StoredCommit[], payloads: PayloadsBySeq) {
  const projection = new CallProjection(row, () => false);
  const slices = new Slices();
  for (const commit of commits) {
    projection.apply(commit, payloads);
    await slices.giveWay();
  }
  return projection.view();
}

async function withContents(
  entries: readonly StoredEntry[],
  payloads: PayloadsBySeq,
): Promise<ExportedEntry[]> {
  const slices = new Slices();
  const exported: ExportedEntry[] = [];
  for (const entry of entries) {
    exported.push(withContent(entry, payloads.get(entry.seq) ?? []));
    await slices.giveWay();
  }
  return exported;
}

/** Numbers that `call.created` and each `chart.changed` name, in their order. */
function numbersIn(entries: readonly StoredEntry[], created: string, changed: string): number[] {
  const named = entries.flatMap((entry) => {
    if (entry.type === 'call.created') return [Number(entry[created])];
    return entry.type === 'chart.changed' ? [Number(entry[changed])] : [];
  });
  return [...new Set(named)];
}

async function readAgent(journal: Journal, created: StoredEntry | undefined): Promise<CallExport['agent']> {
  if (created?.type !== 'call.created') return null;
  const digest = String(created.agent);
  return { digest, definition: await journal.readDefinition(digest) };
}

/** What a transition computes from its event (`params`) is a function, and is left out. */
function definitionOf(number: number): Json | null {
  const chart = charts.find((known) => known.number === number);
  return chart ? JSON.parse(JSON.stringify(chart.machine.config)) : null;
}

/** Of an entry that this version does not know, what refers to a payload is not known either: what there is is shown. */
function withContent(stored: StoredEntry, own: readonly Payload[]): ExportedEntry {
  const isKnown = entryFault(stored) === null;
  const names = isKnown ? referencesOf(stored as unknown as Entry) : own.map(({ name }) => name);
  if (names.length === 0) return stored;
  const content = (field: string) => own.find(({ name }) => name === field)?.content ?? null;
  return { ...stored, payloads: Object.fromEntries(names.map((name) => [name, content(name)])) };
}

const latencyOf = ({ lastWordAt, voicedAt }: TurnView): number | null =>
  lastWordAt === null || voicedAt === null ? null : voicedAt - lastWordAt;

async function readInstances(
  journal: Journal,
  entries: readonly StoredEntry[],
): Promise<CallExport['instances']> {
  const owners = entries
    .filter(({ type }) => type === 'owner.claimed')
    .map(({ instance }) => String(instance));
  const span = { from: entries[0]?.at ?? 0, to: entries.at(-1)?.at ?? 0 };
  const read = async (instance: string) => ({ instance, facts: await readFacts(journal, instance, span) });
  return await Promise.all([...new Set(owners)].map(read));
}

/** Oldest first. */
async function readFacts(journal: Journal, instance: string, { from, to }: { from: number; to: number }) {
  const facts = await journal.readInstanceLog({ instance, before: to + 1, limit: mostFacts });
  return facts
    .filter(({ at }) => at >= from)
    .map(({ at, type, detail }) => ({ at, type, detail }))
    .toReversed();
}
