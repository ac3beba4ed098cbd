/**
 * Owns: what is measured of one call: its episodes' durations, and counts from its entries.
 * Does not own: the metrics (`metrics/`), episodes (`timeline/`), the sound of the call (`media-meter.ts`).
 */
import type { Draft, Entry, EntryOf, EntryType } from '../machines/entries.ts';
import type { Usage } from '../machines/entry-values.ts';
import type { Exemplar, Metrics } from './metrics/metrics.ts';
import { servedReasons } from './metrics/names.ts';
import { type Prices, priced } from './prices.ts';
import type { Episode, EpisodeKind, EpisodeOf } from './timeline/episode.ts';

export const served: ReadonlySet<string> = new Set(servedReasons);

const secondsOf = ({ startedAt, endedAt }: Episode): number => (endedAt - startedAt) / 1_000;
const yesOrNo = (is: boolean): 'yes' | 'no' => (is ? 'yes' : 'no');

type EpisodeMeters = {
  [Kind in EpisodeKind]?: (episode: EpisodeOf<Kind>, exemplar: Exemplar | null) => void;
};
type EntryMeters = { [Type in EntryType]?: (entry: EntryOf<Type>) => void };

/** One for a process. */
export class CallMeter {
  readonly #metrics: Metrics;
  readonly #prices: Prices | null;
  #ended = 0;
  #served = 0;

  /** @param prices of the model; null where none are configured, and no cost is told */
  constructor(metrics: Metrics, prices: Prices | null) {
    this.#metrics = metrics;
    this.#prices = prices;
    metrics.ask('callCompletion', () => [[{}, this.completionRatio]]);
  }

  /** 1 before the first call ended. */
  get completionRatio(): number {
    return this.#ended === 0 ? 1 : this.#served / this.#ended;
  }

  entry(entry: Entry): void {
    this.#metrics.count('entries', { type: entry.type });
    (this.#entries[entry.type] as ((entry: Draft) => void) | undefined)?.(entry);
  }

  /** @param exemplar the episode's span, where traces are kept */
  episode(episode: Episode, exemplar: Exemplar | null): void {
    const measure = this.#episodes[episode.kind] as
      | ((episode: Episode, exemplar: Exemplar | null) => void)
      | undefined;
    measure?.(episode, exemplar);
  }

  /** An open line on which nobody was heard for longer than is borne. */
  deadAir(ms: number): void {
    this.#metrics.count('deadAirSeconds', {}, ms / 1_000);
  }

  /** A session was opened so long after it was asked for. */
  modelOpened(ms: number): void {
    this.#metrics.observe('modelConnect', {}, ms / 1_000);
  }

  readonly #entries: EntryMeters = {
    'media.starved': () => this.#metrics.count('mediaStarved', {}),
    'model.closed': ({ reaction }) => this.#metrics.count('modelCloses', { reaction }),
    'owner.claimed': ({ why }) => {
      if (why === 'orphan' || why === 'restarted') this.#metrics.count('orphansAdopted', {});
    },
    'reply.finished': ({ status, voiced, toolCalls, usage }) => {
      const isEmpty = status === 'completed' && !voiced && toolCalls === 0;
      this.#metrics.count('replies', { status: isEmpty ? 'empty' : status });
      if (usage) this.#bill(usage);
    },
  };

  readonly #episodes: EpisodeMeters = {
    call: (episode, exemplar) => {
      const isServed = served.has(episode.reason);
      this.#ended++;
      if (isServed) this.#served++;
      this.#metrics.count('calls', { reason: episode.reason, served: yesOrNo(isServed) });
      this.#metrics.observe('callDuration', {}, secondsOf(episode), exemplar);
    },
    turn: ({ outcome }) => this.#metrics.count('turns', { outcome }),
    answer: (episode, exemplar) => {
      const labels = { tool: yesOrNo(episode.tool) };
      const { startedAt, endedAt, detectedAt } = episode;
      this.#metrics.observe('voiceToVoice', labels, secondsOf(episode), exemplar);
      this.#metrics.observe('answer', labels, (endedAt - detectedAt) / 1_000, exemplar);
      this.#metrics.observe('endOfTurn', {}, (detectedAt - startedAt) / 1_000, exemplar);
    },
    greeting: (episode, exemplar) => this.#metrics.observe('greeting', {}, secondsOf(episode), exemplar),
    bargeIn: (episode, exemplar) => {
      this.#metrics.count('interruptions', {});
      this.#metrics.observe('bargeIn', {}, secondsOf(episode), exemplar);
    },
    reply: ({ startedAt, voicedAt }, exemplar) => {
      if (voicedAt !== null)
        this.#metrics.observe('modelFirstAudio', {}, (voicedAt - startedAt) / 1_000, exemplar);
    },
    tool: (episode, exemplar) => {
      const { name: tool, outcome } = episode;
      this.#metrics.observe('tool', { tool, outcome }, secondsOf(episode), exemplar);
    },
    recovery: (episode, exemplar) => {
      const { rung, cause, outcome } = episode;
      this.#metrics.count('losses', { rung, cause });
      if (outcome === 'recovered') this.#metrics.observe('recovery', { rung }, secondsOf(episode), exemplar);
    },
    transfer: ({ outcome }) => this.#metrics.count('transfers', { outcome }),
  };

  #bill(usage: Usage): void {
    for (const { labels, tokens, dollars } of priced(usage, this.#prices)) {
      this.#metrics.count('tokens', labels, tokens);
      const { direction, modality } = labels;
      if (dollars !== null) this.#metrics.count('cost', { direction, modality }, dollars);
    }
  }
}
