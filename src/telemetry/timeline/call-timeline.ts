/**
 * Owns: finding the episodes of one call in its entries, as they come. A process that takes a call over applies the log
 * first and drops what it finds: the time line goes on where the other process left it.
 * Does not own: what is made of an episode (`../call-meter.ts`, `../traces`).
 *
 * Invariants:
 * L1. A fold of entries and nothing else: the same log gives the same episodes.
 * L2. Every episode ends: the end of the call ends those that are open.
 * I9. What is kept is bounded by what is open at once.
 */
import { hangUpTool } from '../../machines/call/context.ts';
import type { Entry, EntryOf, EntryType } from '../../machines/entries.ts';
import type { Episode } from './episode.ts';
import { type Loss, Recoveries } from './recoveries.ts';
import { type OpenTurn, Turns } from './turns.ts';

interface Opened {
  seq: number;
  startedAt: number;
}

type Handlers = { [Type in EntryType]?: (entry: EntryOf<Type>) => Episode[] };

/** The model's own request to hang up comes to what it asked for with the end; of any other nobody knows. */
const outcomeAtTheEnd = (name: string): 'completed' | 'unknown' =>
  name === hangUpTool ? 'completed' : 'unknown';

const begin = ({ seq, at }: Entry): Opened => ({ seq, startedAt: at });

export class CallTimeline {
  readonly #turns = new Turns();
  readonly #recoveries = new Recoveries();
  readonly #tools = new Map<string, Opened & { name: string; turn: number | null }>();
  readonly #sessions = new Map<number, Opened>();
  #created: (Opened & { direction: 'incoming' | 'outgoing'; traceId: string }) | null = null;
  #stream: (Opened & { attempt: number; streamId: string }) | null = null;
  #hadStream = false;
  #awaitsGreeting: Opened | null = null;
  #transfer: Opened | null = null;
  #instance = '';

  /** Of the call's one trace; null before its first entry. */
  get traceId(): string | null {
    return this.#created?.traceId ?? null;
  }

  get openTurn(): Readonly<OpenTurn> | null {
    return this.#turns.open;
  }

  get openLosses(): readonly Readonly<Loss>[] {
    return this.#recoveries.open;
  }

  /** The episodes that end with this entry, those that were within others first. */
  apply(entry: Entry): Episode[] {
    const handle = this.#handlers[entry.type] as ((entry: Entry) => Episode[]) | undefined;
    return [...this.#turns.apply(entry), ...this.#recoveries.apply(entry), ...(handle?.(entry) ?? [])];
  }

  readonly #handlers: Handlers = {
    'call.created': (entry) => {
      const { direction, traceId } = entry;
      this.#created = { ...begin(entry), direction, traceId };
      return [];
    },
    'owner.claimed': ({ instance }) => {
      this.#instance = instance;
      return [];
    },
    'stream.started': (entry) => {
      const { attempt, streamId } = entry;
      const before = this.#endStream(entry, 'closed', 'replaced');
      this.#stream = { ...begin(entry), attempt, streamId };
      if (!this.#hadStream) this.#awaitsGreeting = begin(entry);
      this.#hadStream = true;
      return before;
    },
    'stream.stopped': (entry) => this.#endStreamOf(entry, 'stopped', ''),
    'stream.closed': (entry) => this.#endStreamOf(entry, 'closed', String(entry.code)),
    'stream.failed': (entry) => this.#endStreamOf(entry, 'failed', entry.error),
    'model.opened': (entry) => {
      this.#sessions.set(entry.generation, begin(entry));
      return [];
    },
    'model.closed': (entry) => {
      const { generation, code, cause, at } = entry;
      const opened = this.#sessions.get(generation);
      this.#sessions.delete(generation);
      return opened ? [{ kind: 'session', ...opened, endedAt: at, generation, code, cause }] : [];
    },
    'reply.voiced': ({ at }) => {
      const waited = this.#awaitsGreeting;
      this.#awaitsGreeting = null;
      return waited ? [{ kind: 'greeting', ...waited, endedAt: at }] : [];
    },
    'tool.requested': (entry) => {
      const { toolCallId, name } = entry;
      this.#tools.set(toolCallId, { ...begin(entry), name, turn: this.#turns.current });
      return [];
    },
    'tool.finished': ({ toolCallId, outcome, at }) => {
      const tool = this.#tools.get(toolCallId);
      this.#tools.delete(toolCallId);
      return tool ? [{ kind: 'tool', ...tool, endedAt: at, outcome }] : [];
    },
    'transfer.requested': (entry) => {
      this.#transfer ??= begin(entry);
      return [];
    },
    'transfer.finished': ({ outcome, at }) => {
      const transfer = this.#transfer;
      this.#transfer = null;
      return transfer ? [{ kind: 'transfer', ...transfer, endedAt: at, outcome }] : [];
    },
    'call.ended': (entry) => this.#end(entry),
  };

  #endStreamOf(
    entry: Entry & { streamId: string },
    end: 'stopped' | 'closed' | 'failed',
    cause: string,
  ): Episode[] {
    return this.#stream?.streamId === entry.streamId ? this.#endStream(entry, end, cause) : [];
  }

  #endStream({ at }: Entry, end: 'stopped' | 'closed' | 'failed', cause: string): Episode[] {
    const stream = this.#stream;
    if (stream === null) return [];
    const { seq, startedAt, attempt } = stream;
    this.#stream = null;
    return [{ kind: 'stream', seq, startedAt, endedAt: at, attempt, end, cause }];
  }

  /** L2. */
  #end(entry: EntryOf<'call.ended'>): Episode[] {
    const { at, reason } = entry;
    const episodes: Episode[] = [];
    for (const tool of this.#tools.values())
      episodes.push({ kind: 'tool', ...tool, endedAt: at, outcome: outcomeAtTheEnd(tool.name) });
    for (const [generation, opened] of this.#sessions)
      episodes.push({ kind: 'session', ...opened, endedAt: at, generation, code: null, cause: 'call.ended' });
    episodes.push(...this.#endStream(entry, 'closed', 'call.ended'));
    if (this.#created) {
      const { seq, startedAt, direction } = this.#created;
      const instance = this.#instance;
      episodes.push({ kind: 'call', seq, startedAt, endedAt: at, direction, reason, instance });
    }
    return episodes;
  }
}
