/**
 * Owns: `npm start` as a person sees it: the start-up phase by phase, what became of it, and what a signal does.
 * Does not own: the process and its exit (`main.ts`), the service (`service.ts`), several processes
 * (`workers/workers-terminal.ts`).
 */
import type { Environment } from '../config/dotenv.ts';
import { type Phase, type PhaseOutcome, phases } from '../machines/service.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { formatPhase } from './phase-report.ts';
import { Service } from './service.ts';
import { drainText, notStartedText, stoppedText, stopText, welcomeText } from './terminal-text.ts';

export interface TerminalOptions {
  environment: Environment;
  clock: Clock;
  print(text: string): void;
  /** From now on calls may live here. */
  onOpen?(): void;
}

/** What was last shown of a phase: a phase that is tried again in vain is not shown again. */
const essenceOf = ({ outcome, detail }: PhaseOutcome): string =>
  `${outcome} ${outcome === 'failed' ? detail : ''}`;

export class Terminal {
  readonly #print: (text: string) => void;
  readonly #service: Service;
  readonly #shown = new Map<Phase, string>();
  #outcomes: Readonly<Record<Phase, PhaseOutcome>> | null = null;
  #requests = 0;

  constructor({ print, ...options }: TerminalOptions) {
    this.#print = print;
    this.#service = new Service({
      ...options,
      onChange: ({ context }, fact) => {
        this.#outcomes = context.phases;
        if (fact !== null && 'phase' in fact) this.#showPhase(fact.phase, context.phases[fact.phase]);
      },
    });
  }

  /** Runs the service to its end. Resolves with the exit code: 0 stopped on request, 1 a fatal phase failed. */
  async run(): Promise<number> {
    this.#print('Holdfast');
    const outcome = await this.#service.start();
    if (outcome === 'running') this.#print(this.#welcome());
    if (outcome === 'failed') this.#print(notStartedText);
    await this.#service.stopped;
    if (outcome !== 'failed') this.#print(stoppedText);
    return outcome === 'failed' ? 1 : 0;
  }

  /** Something failed outside of any call. The log says where; nothing ends. */
  noteFault(error: unknown): void {
    this.#service.noteFault(error);
  }

  /** The first request waits for live calls, the second one does not. */
  request(signal: string): void {
    this.#requests += 1;
    if (this.#requests === 1) {
      this.#print(drainText(signal, this.#service.drain(signal)));
    } else {
      this.#print(stopText(signal));
      this.#service.stop(signal);
    }
  }

  #showPhase(phase: Phase, outcome: PhaseOutcome): void {
    const essence = essenceOf(outcome);
    if (this.#shown.get(phase) === essence) return;
    this.#shown.set(phase, essence);
    this.#print(formatPhase(phase, outcome));
  }

  #welcome(): string {
    return welcomeText(phases.every((phase) => this.#outcomes?.[phase].outcome === 'passed'));
  }
}
