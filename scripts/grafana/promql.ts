/**
 * Owns: queries in PromQL over the table of metrics: a name, a label or a value that the table does not have does not
 * compile.
 * Does not own: what is asked (`boards/`, `rules/`).
 */
import { type MetricName, metrics } from '../../src/telemetry/metrics/names.ts';

type Table = typeof metrics;
type NamesOf<Kind> = { [Name in MetricName]: Table[Name]['kind'] extends Kind ? Name : never }[MetricName];
export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
export type HistogramName = NamesOf<'histogram'>;

type LabelOf<Name extends MetricName> = keyof Table[Name]['labels'] & string;
type ValueOf<
  Name extends MetricName,
  Label extends LabelOf<Name>,
> = Table[Name]['labels'][Label] extends readonly (infer Value)[] ? Value & string : string;
type Match<Value extends string> = Value | { not: readonly Value[] } | { anyOf: readonly Value[] };

/** Conditions on labels. */
export type Where<Name extends MetricName> = {
  [Label in LabelOf<Name>]?: Match<ValueOf<Name, Label>>;
};
export interface Choice<Name extends MetricName> {
  by?: readonly (LabelOf<Name> | 'instance')[];
  where?: Where<Name>;
}

function matcherOf(label: string, match: Match<string>): string {
  if (typeof match === 'string') return `${label}="${match}"`;
  return 'not' in match ? `${label}!~"${match.not.join('|')}"` : `${label}=~"${match.anyOf.join('|')}"`;
}

const byOf = (labels: readonly string[]): string => (labels.length > 0 ? ` by (${labels.join(', ')})` : '');

export interface Scope {
  /** Which processes. */
  matchers: readonly string[];
  /** How far back a rate looks. */
  window: string;
  /** Labels that every sum keeps. */
  keep: readonly string[];
}

export class Queries {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  over(window: string): Queries {
    return new Queries({ ...this.#scope, window });
  }

  gauge<Name extends GaugeName>(name: Name, where: Where<Name> = {}): string {
    return this.#series(metrics[name].name, where);
  }

  /** `sum`, `max`, ... of a gauge. */
  gauges<Name extends GaugeName>(
    operation: string,
    name: Name,
    { by = [], where = {} }: Choice<Name> = {},
  ): string {
    return `${operation}${this.#by(by)} (${this.gauge(name, where)})`;
  }

  /** A second. */
  rate<Name extends CounterName>(name: Name, { by = [], where = {} }: Choice<Name> = {}): string {
    return this.#summed('rate', metrics[name].name, by, where);
  }

  increase<Name extends CounterName>(name: Name, { by = [], where = {} }: Choice<Name> = {}): string {
    return this.#summed('increase', metrics[name].name, by, where);
  }

  /** How many were measured, a second. */
  measuredRate<Name extends HistogramName>(name: Name, { by = [], where = {} }: Choice<Name> = {}): string {
    return this.#summed('rate', `${metrics[name].name}_count`, by, where);
  }

  measured<Name extends HistogramName>(name: Name, { by = [], where = {} }: Choice<Name> = {}): string {
    return this.#summed('increase', `${metrics[name].name}_count`, by, where);
  }

  /** What series say that were not there before: a process may have counted before it was scraped for the first time. */
  freshMeasured<Name extends HistogramName>(name: Name, where: Where<Name>): string {
    return this.#fresh(`${metrics[name].name}_count`, where);
  }

  fresh<Name extends CounterName>(name: Name): string {
    return this.#fresh(metrics[name].name, {});
  }

  quantile<Name extends HistogramName>(
    share: number,
    name: Name,
    { by = [], where = {} }: Choice<Name> = {},
  ): string {
    const buckets = this.#summed('rate', `${metrics[name].name}_bucket`, ['le', ...by], where);
    return `histogram_quantile(${share}, ${buckets})`;
  }

  /** How many were in each bucket. */
  buckets<Name extends HistogramName>(name: Name, where: Where<Name> = {}): string {
    return this.#summed('increase', `${metrics[name].name}_bucket`, ['le'], where);
  }

  /** A series of a process that is not in the table: `up` and what the client library tells of the process. */
  ofProcess(name: string): string {
    return this.#series(name, {});
  }

  #series(name: string, where: object): string {
    const own = Object.entries(where).map(([label, match]: [string, Match<string>]) =>
      matcherOf(label, match),
    );
    return `${name}{${[...this.#scope.matchers, ...own].join(', ')}}`;
  }

  #fresh(name: string, where: object): string {
    const series = this.#series(name, where);
    return `sum${this.#by([])} (${series} unless ${series} offset ${this.#scope.window})`;
  }

  #by(labels: readonly string[]): string {
    return byOf([...this.#scope.keep, ...labels]);
  }

  #summed(operation: 'rate' | 'increase', name: string, by: readonly string[], where: object): string {
    return `sum${this.#by(by)} (${operation}(${this.#series(name, where)}[${this.#scope.window}]))`;
  }
}

export const jobName = 'holdfast';

/** For panels, by the variables of their board. */
export const onBoards = new Queries({
  matchers: ['job=~"$job"', 'instance=~"$instance"'],
  window: '$__rate_interval',
  keep: [],
});

/** For rules. */
export const inRules = new Queries({ matchers: [`job="${jobName}"`], window: '5m', keep: ['job'] });

/** One number in place of none: a share is asked for only where there is something to have a share of. */
export const share = (part: string, whole: string): string => `${part} / (${whole} > 0)`;
