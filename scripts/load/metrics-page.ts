/**
 * Owns: reading the figures of a service's `/metrics` (Prometheus, text exposition format) that a load run tells of.
 * Does not own: what they mean to a deployment (`grafana/`).
 */

export interface MetricsPage {
  /** The sum over all labels; null where the page has no such series. */
  value(name: string): number | null;
  /** Counts up to each bound, seconds. */
  buckets(name: string): Map<number, number>;
}

const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/;

export function readMetrics(text: string): MetricsPage {
  const samples = text
    .split('\n')
    .map((line) => sample.exec(line))
    .filter((found) => found !== null);
  return {
    value(name) {
      const values = samples.filter((found) => found[1] === name).map((found) => Number(found[3]));
      return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
    },
    buckets(name) {
      const found = samples.filter(([, of]) => of === `${name}_bucket`);
      return new Map(found.map(([, , labels = '', count]) => [boundOf(labels), Number(count)]));
    },
  };
}

function boundOf(labels: string): number {
  const [, bound] = /\ble="([^"]+)"/.exec(labels) ?? [];
  return bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
}

/**
 * The least bound under which so many of a hundred lie of what came between two readings; null where nothing came.
 */
export function boundAt(
  percent: number,
  before: Map<number, number>,
  after: Map<number, number>,
): number | null {
  const counts = [...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)] as const);
  const all = counts.find(([bound]) => bound === Number.POSITIVE_INFINITY)?.[1] ?? 0;
  if (all === 0) return null;
  return counts.find(([, count]) => count >= (all * percent) / 100)?.[0] ?? null;
}

/** The page, or why there is none. */
export type Asked = { page: MetricsPage } | { page: null; why: string };

export async function askMetrics(adminAddress: string, token: string | null): Promise<Asked> {
  try {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(`http://${adminAddress}/metrics`, { headers });
    if (answer.ok) return { page: readMetrics(await answer.text()) };
    await answer.body?.cancel();
    const hint = answer.status === 401 ? ': is ADMIN_TOKEN right?' : '';
    return { page: null, why: `its metrics answered ${answer.status}${hint}` };
  } catch {
    return { page: null, why: 'its metrics did not answer' };
  }
}

/** Null where nobody answers. */
export const fetchMetrics = async (adminAddress: string, token: string | null): Promise<MetricsPage | null> =>
  (await askMetrics(adminAddress, token)).page;
