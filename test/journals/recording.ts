/**
 * A call as a version wrote it: the commits in the journal, and the state that was live after each of them. One file a
 * call, `test/journals/<version>/<name>.json`, written once by `scripts/write-journals.ts` and never changed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Json, Payload, StoredEntry } from '../../src/runtime/ports/journal.ts';

export interface RecordedCommit {
  entries: StoredEntry[];
  payloads: Payload[];
  /** The state value that was stored with it. */
  state: Json;
  /** `freeze` of the live state; in the file without the settings where they are those of `call.created`. */
  frozen: FrozenState;
}

export interface FrozenState {
  [field: string]: Json;
  chart: number;
  context: { [field: string]: Json };
}

export interface Recording {
  version: string;
  name: string;
  /** What happens in it. */
  story: string;
  callId: string;
  commits: RecordedCommit[];
}

const folder = new URL('./', import.meta.url);

export const recordedVersions = (): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((each) => each.isDirectory() && /^\d/.test(each.name))
    .map(({ name }) => name)
    .sort();

export const recordingsOf = (version: string): Recording[] =>
  readdirSync(new URL(`${version}/`, folder))
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => readRecording(readFileSync(new URL(`${version}/${file}`, folder), 'utf8')));

function readRecording(text: string): Recording {
  const recording: Recording = JSON.parse(text);
  const settings = recording.commits[0]?.entries[0]?.settings ?? null;
  for (const { frozen } of recording.commits) frozen.context.settings ??= structuredClone(settings);
  return recording;
}

/** One line an entry, so that a log can be read and compared. */
export function formatRecording({ commits, ...head }: Recording): string {
  const settings = JSON.stringify(commits[0]?.entries[0]?.settings ?? null);
  const lines = Object.entries(head).map(
    ([field, value]) => `  ${JSON.stringify(field)}: ${JSON.stringify(value)},`,
  );
  const written = commits.map((commit) => formatCommit(commit, settings));
  return ['{', ...lines, '  "commits": [', written.join(',\n'), '  ]', '}', ''].join('\n');
}

function formatCommit({ entries, payloads, state, frozen }: RecordedCommit, settings: string): string {
  const { settings: own, ...rest } = frozen.context;
  const context = JSON.stringify(own) === settings ? rest : frozen.context;
  return [
    '    {',
    `      "entries": ${formatRows(entries)},`,
    `      "payloads": ${formatRows(payloads)},`,
    `      "state": ${JSON.stringify(state)},`,
    `      "frozen": ${JSON.stringify({ ...frozen, context })}`,
    '    }',
  ].join('\n');
}

const formatRows = (rows: readonly object[]): string =>
  rows.length === 0 ? '[]' : `[\n${rows.map((row) => `        ${JSON.stringify(row)}`).join(',\n')}\n      ]`;
