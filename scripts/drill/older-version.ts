/**
 * Owns: making a process an older version: `node --import ./scripts/drill/older-version.ts ...`. It knows chart 1 alone,
 * writes it, and refuses what a newer one wrote.
 * Does not own: what that chart does (`src/machines/charts/1`), the rest of the process, which is the present one.
 */
import { registerHooks } from 'node:module';

const older = new Map(
  Object.entries({
    '../../src/machines/charts/table.ts': './older-charts.ts',
    '../../src/machines/instruction.ts': './older-instruction.ts',
  }).map(([present, before]) => [
    new URL(present, import.meta.url).href,
    new URL(before, import.meta.url).href,
  ]),
);

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    return { ...resolved, url: older.get(resolved.url) ?? resolved.url };
  },
});
