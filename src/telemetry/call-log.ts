/**
 * Owns: log lines of calls, as a projection of their entries: one line an entry, silent on replay.
 * Does not own: the entries; what the levels mean and what a line may show (`logger.ts`).
 */
import type { Entry, EntryOf, EntryType } from '../machines/entries.ts';
import { served } from './call-meter.ts';
import type { Category, Logger } from './logger.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';
type Levels = { [Type in EntryType]?: Level | ((entry: EntryOf<Type>) => Level) };

const unless =
  (good: string, bad: Level, otherwise: Level) =>
  ({ outcome }: { outcome: string }): Level =>
    outcome === good ? otherwise : bad;

/** `debug` unless told. */
const levels: Levels = {
  'call.created': 'info',
  'call.ended': ({ reason }) => (served.has(reason) ? 'info' : 'error'),
  // A process died with this call.
  'owner.claimed': ({ why }) => (why === 'orphan' || why === 'restarted' ? 'warn' : 'info'),
  'chart.changed': 'info',
  'journal.lost': 'error',
  'stream.misdirected': 'info',
  'stream.started': 'info',
  'stream.stopped': 'info',
  'stream.closed': 'info',
  'stream.failed': 'warn',
  'media.starved': 'warn',
  'media.resumed': 'info',
  'carrier.unreachable': 'warn',
  'redirect.finished': unless('redirected', 'warn', 'info'),
  'move.requested': 'info',
  'input.refused': 'warn',
  'model.opened': 'info',
  'model.closed': (entry) => levelOfClosing(entry),
  'reply.finished': ({ status }) => (status === 'failed' ? 'warn' : 'debug'),
  'tool.finished': unless('completed', 'warn', 'debug'),
  'transfer.requested': 'info',
  'transfer.finished': unless('completed', 'warn', 'info'),
  'hangUp.requested': 'info',
  'hangUp.finished': unless('completed', 'warn', 'info'),
};

/** A session that we closed ourselves is no trouble; one that nothing brings back costs the caller the agent. */
function levelOfClosing({ code, reaction }: EntryOf<'model.closed'>): Level {
  if (code === 1_000) return 'info';
  return reaction === 'giveUp' ? 'error' : 'warn';
}

const categories: [prefix: string, category: Category][] = [
  ['stream.', 'connection'],
  ['owner.', 'connection'],
  ['move.', 'connection'],
  ['redirect.', 'connection'],
  ['carrier.unreachable', 'connection'],
  ['input.', 'connection'],
  ['media.', 'media'],
  ['model.', 'model'],
  ['reply.', 'model'],
  ['caller.', 'model'],
  ['tool.', 'model'],
];

const categoryOf = (type: string): Category =>
  categories.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 'call';

function levelOf(entry: Entry): Level {
  const level = levels[entry.type] as Level | ((entry: Entry) => Level) | undefined;
  return typeof level === 'function' ? level(entry) : (level ?? 'debug');
}

/** Long, and told of no call in particular: whoever needs them reads the call's log. */
const leftOut: readonly string[] = ['settings', 'carried'];

const fieldsOf = ({ type: _, at: __, seq: ___, ...fields }: Entry): object =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !leftOut.includes(name)));

/** Which call a line is about, and the trace that shows the rest of it. */
export interface CallNames {
  callId: string;
  traceId: string | null;
}

export function logEntry(logger: Logger, names: CallNames, entry: Entry): void {
  const level = levelOf(entry);
  if (!logger.isLevelEnabled(level)) return;
  const { type, at, seq } = entry;
  logger[level]({ category: categoryOf(type), ...names, seq, entryAt: at, entry: fieldsOf(entry) }, type);
}
