/**
 * Owns: what the operator is told of a phase that failed: what is wrong and what to do about it.
 * Does not own: the order of phases (`src/machines/service.ts`), what they do (`service.ts`).
 */
import type { Phase } from '../machines/service.ts';

const advice: Record<Phase, string> = {
  configuration: '',
  journal: 'Check JOURNAL_URL, and that its folder can be written to. Nothing was overwritten.',
  model: 'Check OPENAI_API_KEY, OPENAI_MODEL and OPENAI_REALTIME_URL. Tried again in the background.',
  http: 'Set HOST and PORT, or ADMIN_HOST and ADMIN_PORT, to an address of this machine that is free.',
  publicAddress: 'Set PUBLIC_URL, or check NGROK_AUTHTOKEN. Tried again in the background.',
  webhooks: 'Run: npx holdfast number point-here. Looked at again in the background.',
};

/** A phase that cannot be passed for a reason that is no error. */
export class PhaseNotPassed extends Error {}

const systemErrors: Record<string, string> = {
  EADDRINUSE: 'the port is taken',
  EACCES: 'the port or file may not be used by this user',
  EADDRNOTAVAIL: 'this machine has no such address',
};

export function describeFailure(phase: Phase, error: unknown): { detail: string; advice: string } {
  return { detail: detailOf(error), advice: advice[phase] };
}

function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const known = systemErrors[code];
  return known === undefined ? error.message : `${known}${placeOf(error)}`;
}

/** Where it was to be listened, as Node.js tells it. */
const placeOf = (error: Error): string =>
  'address' in error && 'port' in error ? `: ${error.address}:${error.port}` : '';
