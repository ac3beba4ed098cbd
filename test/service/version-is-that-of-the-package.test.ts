import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { version } from '../../src/platform/version.ts';

it('the version that is told to others is that of the package', () => {
  const { version: packaged } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(version).toBe(packaged);
});
