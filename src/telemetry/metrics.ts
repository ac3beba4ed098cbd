/**
 * Owns: the metrics of one process, as a projection of entries and counts, and their text for a scraper.
 * Does not own: names (`names.ts`), the route (`src/adapters/http/admin-server.ts`).
 *
 * Invariants:
 * Q1. Every label has a bound: entry types, statuses, our own reasons and events. No call id, no number.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type Entry, entrySchemas } from '../machines/entries.ts';
import { metrics as names } from './names.ts';

/** Reasons that are not ours, such as a carrier's new status, are counted together. */
const knownReasons: ReadonlySet<string> = new Set([
  'agent.hungUp',
  'caller.hungUp',
  'operator.hungUp',
  'call.tooLong',
  'call.notAnswered',
  'call.transferred',
  'transfer.unknown',
  'stream.lost',
  'model.refused',
  'model.unavailable',
  'journal.lost',
  'carrier.busy',
  'carrier.failed',
  'carrier.no-answer',
  'carrier.canceled',
]);

export interface MetricSources {
  liveCalls(): number;
  journalStalledMs(): number;
  /** How often each event of the carrier's edge was counted. */
  edgeEvents(): Iterable<readonly [event: string, count: number]>;
}

type Name = keyof typeof names;

export class Metrics {
  readonly #registry = new Registry();
  readonly #calls = this.#counter('calls');
  readonly #entries = this.#counter('entries');
  readonly #replies = this.#counter('replies');
  readonly #modelCloses = this.#counter('modelCloses');
  readonly #modelOddities = this.#counter('modelOddities');

  constructor(sources: MetricSources) {
    collectDefaultMetrics({ register: this.#registry });
    for (const type of Object.keys(entrySchemas)) this.#entries.inc({ type }, 0);
    this.#gauge('liveCalls', () => sources.liveCalls());
    this.#gauge('journalStalled', () => sources.journalStalledMs() / 1_000);
    const { edgeEvents } = names;
    new Counter({
      name: edgeEvents.name,
      help: edgeEvents.help,
      labelNames: edgeEvents.labels,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [event, count] of sources.edgeEvents()) this.inc({ event }, count);
      },
    });
  }

  observe(entry: Entry): void {
    this.#entries.inc({ type: entry.type });
    if (entry.type === 'call.ended') {
      this.#calls.inc({ reason: knownReasons.has(entry.reason) ? entry.reason : 'other' });
    } else if (entry.type === 'reply.finished') {
      this.#replies.inc({ status: entry.status });
    } else if (entry.type === 'model.closed') {
      this.#modelCloses.inc({ reaction: entry.reaction });
    }
  }

  countOddity(kind: string): void {
    this.#modelOddities.inc({ kind });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A value that is asked for at the scrape. */
  #gauge(name: Name, value: () => number): void {
    const { name: metric, help } = names[name];
    new Gauge({
      name: metric,
      help,
      registers: [this.#registry],
      collect() {
        this.set(value());
      },
    });
  }

  #counter(name: Name): Counter<string> {
    const { name: metric, help, labels } = names[name];
    return new Counter({ name: metric, help, labelNames: [...labels], registers: [this.#registry] });
  }
}
