/** Owns: `holdfast export`, one call in one file. Does not own: what is in it (`src/service/console/export.ts`). */
import { writeFile } from 'node:fs/promises';
import type { Journal } from '../runtime/ports/journal.ts';
import { exportCall } from '../service/console/export.ts';

/**
 * Without `path` the export itself, which a person may send to a file. A file is for this user alone: it holds what was
 * said.
 */
export async function exportToFile(journal: Journal, callId: string, path: string | null): Promise<string> {
  const text = await exportCall(journal, callId);
  if (path === null) return text.trimEnd();
  await writeFile(path, text, { mode: 0o600 });
  return `${path}: ${Buffer.byteLength(text)} bytes. It holds personal data, unless that was erased before.`;
}
