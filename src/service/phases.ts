/**
 * Owns: running the phases of a start, one at a time of each, and what the operator is told of one that failed: what is
 * wrong and what to do about it.
 * Does not own: the order of phases (`src/machines/service.ts`), what they do (`service.ts`).
 *
 * Invariants:
 * P1. A phase runs once at a time.
 */
import type { Phase } from '../machines/service.ts';
import type { ServiceFact } from '../runtime/service-actor.ts';

const advice: Record<Phase, string> = {
  configuration: '',
  journal:
    'Check JOURNAL_URL, and that its folder can be written to or its database reached. Nothing was overwritten.',
  model: 'Check OPENAI_API_KEY, OPENAI_MODEL and OPENAI_REALTIME_URL. Tried again in the background.',
  http: 'Set HOST and PORT, or ADMIN_HOST and ADMIN_PORT, to an address of this machine that is free.',
  publicAddress: 'Set PUBLIC_URL, or check NGROK_AUTHTOKEN. Tried again in the background.',
  webhooks: 'Run: npx holdfast number point-here. Looked at again in the background.',
};

/** A phase that cannot be passed for a reason that is no error. */
export class PhaseNotPassed extends Error {}

export type PhaseFact = Extract<ServiceFact, { phase: Phase }>;

/** `error`: of a phase that failed. */
export type OnOutcome = (outcome: PhaseFact, error?: unknown) => void;

export class PhaseRuns {
  readonly #phases: Record<Phase, () => Promise<string>>;
  readonly #onOutcome: OnOutcome;
  readonly #running = new Map<Phase, Promise<void>>();

  /** @param phases each with what it does; resolves with what was found */
  constructor(phases: Record<Phase, () => Promise<string>>, onOutcome: OnOutcome) {
    this.#phases = phases;
    this.#onOutcome = onOutcome;
  }

  /** P1. */
  begin(phase: Phase): void {
    if (this.#running.has(phase)) return;
    const ended = this.#run(phase).finally(() => this.#running.delete(phase));
    this.#running.set(phase, ended);
  }

  /** The phase's run that is under way. */
  get(phase: Phase): Promise<void> | undefined {
    return this.#running.get(phase);
  }

  async #run(phase: Phase): Promise<void> {
    const started = performance.now();
    const tookMs = (): number => performance.now() - started;
    try {
      const detail = await this.#phases[phase]();
      this.#onOutcome({ type: 'phase.passed', phase, detail, tookMs: tookMs() });
    } catch (error) {
      const failure = describeFailure(phase, error);
      this.#onOutcome({ type: 'phase.failed', phase, ...failure, tookMs: tookMs() }, error);
    }
  }
}

const systemErrors: Record<string, string> = {
  EADDRINUSE: 'the port is taken',
  EACCES: 'the port or file may not be used by this user',
  EADDRNOTAVAIL: 'this machine has no such address',
};

function describeFailure(phase: Phase, error: unknown): { detail: string; advice: string } {
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
