/**
 * Owns: log lines of calls, as a projection of their entries: one line an entry, silent on replay.
 * Does not own: the entries.
 */
import type { Entry, EntryType } from '../machines/entries.ts';
import type { Logger } from './logger.ts';

type Level = 'info' | 'warn' | 'debug';
type Category = 'call' | 'connection' | 'media' | 'model';

const loud: Partial<Record<EntryType, Level>> = {
  'call.created': 'info',
  'call.ended': 'info',
  'owner.claimed': 'info',
  'move.requested': 'info',
  'transfer.requested': 'info',
  'transfer.finished': 'info',
  'redirect.finished': 'info',
  'stream.started': 'info',
  'stream.failed': 'warn',
  'media.starved': 'warn',
  'model.opened': 'info',
  'model.closed': 'warn',
  'input.refused': 'warn',
  'journal.lost': 'warn',
  'carrier.unreachable': 'warn',
};

const categories: [prefix: string, category: Category][] = [
  ['stream.', 'connection'],
  ['owner.', 'connection'],
  ['move.', 'connection'],
  ['redirect.', 'connection'],
  ['media.', 'media'],
  ['model.', 'model'],
  ['reply.', 'model'],
  ['caller.', 'model'],
  ['tool.', 'model'],
];

const categoryOf = (type: string): Category =>
  categories.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 'call';

/** A session that we closed ourselves is no trouble. */
const levelOf = (entry: Entry): Level =>
  entry.type === 'model.closed' && entry.code === 1_000 ? 'info' : (loud[entry.type] ?? 'debug');

/** Which call a line is about, and the trace that shows the rest of it. */
export interface CallNames {
  callId: string;
  traceId: string | null;
}

export function logEntry(logger: Logger, names: CallNames, entry: Entry): void {
  const level = levelOf(entry);
  if (!logger.isLevelEnabled(level)) return;
  const { type, at, seq, ...fields } = entry;
  logger[level]({ category: categoryOf(type), ...names, seq, entryAt: at, entry: fields }, type);
}
