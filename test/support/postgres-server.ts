/** One PostgreSQL server for the tests of a file, where it is installed: started before the first, gone after the last. */
import { afterAll, beforeAll } from 'vitest';
import { PostgresCluster, type UrlParts } from './postgres-cluster.ts';
import { hasPostgres } from './postgres-needed.ts';

const patienceMs = 60_000;

export interface SharedServer {
  /** Once the tests run. */
  cluster(): PostgresCluster;
  /** A journal of its own each time: an empty schema. */
  newUrl(parts?: UrlParts): string;
}

/** To be called while the tests are collected. */
export function shareServer(settings: Record<string, string> = {}): SharedServer {
  let started: PostgresCluster | null = null;
  let schemas = 0;
  const cluster = (): PostgresCluster => {
    if (started === null) throw new Error('PostgreSQL is not installed');
    return started;
  };
  beforeAll(async () => {
    if (hasPostgres) started = await PostgresCluster.create(settings);
  }, patienceMs);
  afterAll(() => started?.remove(), patienceMs);
  return {
    cluster,
    newUrl: (parts = {}) => {
      schemas += 1;
      return cluster().url({ ...parts, parameters: { schema: `journal_${schemas}`, ...parts.parameters } });
    },
  };
}
