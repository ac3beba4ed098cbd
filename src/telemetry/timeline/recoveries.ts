/**
 * Owns: losses and recoveries among the episodes of a call, by what was lost.
 * Does not own: how a call recovers (the call chart).
 *
 * A loss counts once it is known to be one: when the call goes on, or ends because it could not. A stream that ends with
 * its call was not lost. The moment at which a process died is in no log: its loss begins with the last entry before.
 */
import type { Entry, EntryOf, EntryType } from '../../machines/entries.ts';
import type { Rung } from '../metrics/names.ts';
import type { Episode } from './episode.ts';

/** What was lost and has not come back yet, as far as it is known now. */
export interface Loss {
  seq: number;
  startedAt: number;
  rung: Rung;
  cause: string;
}

type Handlers = { [Type in EntryType]?: (entry: EntryOf<Type>) => Episode[] };

/** Ends of a call that say that something could not be brought back. */
const rungsLost: Readonly<Record<string, Rung>> = {
  'stream.lost': 'stream',
  'model.unavailable': 'model',
  'model.refused': 'model',
};

export class Recoveries {
  #streamLoss: Loss | null = null;
  #modelLoss: Loss | null = null;
  #before: { seq: number; at: number } = { seq: 0, at: 0 };
  #owner: string | null = null;
  #isMoving = false;
  #hadStream = false;
  /** Generations of the sessions that are open, in the order in which they opened. */
  readonly #open = new Set<number>();

  get open(): readonly Readonly<Loss>[] {
    return [this.#streamLoss, this.#modelLoss].filter((loss) => loss !== null);
  }

  apply(entry: Entry): Episode[] {
    const handle = this.#handlers[entry.type] as ((entry: Entry) => Episode[]) | undefined;
    const episodes = handle?.(entry) ?? [];
    this.#before = { seq: entry.seq, at: entry.at };
    return episodes;
  }

  readonly #handlers: Handlers = {
    'move.requested': () => {
      this.#isMoving = true;
      return [];
    },
    'owner.claimed': ({ instance, why }) => {
      const isOther = this.#owner !== null && this.#owner !== instance;
      this.#owner = instance;
      if (isOther || why === 'restarted') this.#loseProcess(why);
      return [];
    },
    'stream.stopped': (entry) => this.#loseStream(entry, 'stopped'),
    'stream.closed': (entry) => this.#loseStream(entry, `closed ${entry.code}`),
    'stream.failed': (entry) => this.#loseStream(entry, 'failed'),
    'stream.started': ({ at }) => {
      const loss = this.#streamLoss;
      this.#hadStream = true;
      this.#streamLoss = null;
      this.#isMoving = false;
      return loss ? [recovered(loss, at)] : [];
    },
    'model.opened': ({ generation, at }) => {
      const loss = this.#modelLoss;
      this.#open.add(generation);
      this.#modelLoss = null;
      return loss ? [recovered(loss, at)] : [];
    },
    'model.closed': (entry) => this.#closeModel(entry),
    'call.ended': ({ reason, at }) => this.#end(reason, at),
  };

  /** The streams and sessions of the process that died went with it. */
  #loseProcess(why: string): void {
    const rung: Rung = this.#isMoving ? 'move' : 'process';
    const { seq, at } = this.#before;
    this.#open.clear();
    this.#modelLoss = null;
    // Who wrote down that the stream was lost was alive: its next one only came to another process.
    const isDeath = this.#isMoving || why !== 'stream';
    if (this.#streamLoss) this.#streamLoss = { ...this.#streamLoss, rung: isDeath ? rung : 'stream' };
    else if (this.#hadStream) this.#streamLoss = { seq, startedAt: at, rung, cause: why };
  }

  #loseStream({ seq, at }: Entry, cause: string): Episode[] {
    const rung: Rung = this.#isMoving ? 'move' : 'stream';
    if (this.#hadStream) this.#streamLoss ??= { seq, startedAt: at, rung, cause };
    return [];
  }

  #closeModel({ seq, at, generation, code, cause }: EntryOf<'model.closed'>): Episode[] {
    const wasOpen = this.#open.delete(generation);
    const [oldest] = this.#open;
    // Nobody was without a session, however long the next one had stood by.
    if (wasOpen && oldest !== undefined && generation < oldest)
      return [recovered({ seq, startedAt: at, rung: 'rollOver', cause: 'expires' }, at)];
    if (this.#open.size === 0)
      this.#modelLoss ??= { seq, startedAt: at, rung: 'model', cause: code === null ? cause : String(code) };
    return [];
  }

  #end(reason: string, at: number): Episode[] {
    const rung = rungsLost[reason];
    return this.open
      .filter((loss) => loss.rung === rung || (rung === 'stream' && loss !== this.#modelLoss))
      .map((loss) => ({ kind: 'recovery', ...loss, endedAt: at, outcome: 'lost' }));
  }
}

const recovered = (loss: Loss, at: number): Episode => ({
  kind: 'recovery',
  ...loss,
  endedAt: at,
  outcome: 'recovered',
});
