/** Owns: a folder of a test's own, removed when its test file is done. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** To be called while the tests are collected. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
