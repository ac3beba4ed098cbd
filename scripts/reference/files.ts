/**
 * Owns: which files `npm run reference` writes, and their text.
 * Does not own: what is in them (the files beside this one), the writing (`../reference.ts`).
 */
import { entriesPage } from './entries-page.ts';
import { metricsPage } from './metrics-page.ts';

export interface ReferenceFile {
  /** Below `docs/reference/`. */
  path: string;
  text: string;
}

export const referenceFiles = async (): Promise<ReferenceFile[]> => [
  { path: 'entries.md', text: entriesPage() },
  { path: 'metrics.md', text: await metricsPage() },
];
