/**
 * Owns: making a process note what its journal acknowledged: `node --import ./scripts/drill/acknowledged-hook.ts ...`.
 * Does not own: the noting (`acknowledged-journal.ts`).
 */
import { registerHooks } from 'node:module';

const original = new URL('../../src/adapters/journal/open-journal.ts', import.meta.url).href;
const noting = new URL('./acknowledged-journal.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const isMeant = resolved.url === original && context.parentURL !== noting;
    return isMeant ? { ...resolved, url: noting } : resolved;
  },
});
