/**
 * Owns: a stock load balancer as `deploy/` configures it: the fewest live calls first, streams to the instance that their
 * path names, an active check, another try where an instance does not answer.
 * Does not own: what an instance answers.
 */
import { tryHeader } from '../../../src/adapters/twilio/webhooks.ts';
import type { Clock } from '../../../src/runtime/ports/clock.ts';
import {
  ConnectFailure,
  type HttpRequest,
  type HttpResponse,
} from '../../../src/twin/twilio/http/http-message.ts';
import type { SimulatedProcess } from '../process.ts';
import type { Balancer } from '../world.ts';

/** An instance that has not answered its check for so long gets nothing more. */
const checkMs = 2_000;
/** Another instance is tried with what one has not answered by then. */
const answerLimitMs = 3_500;

const newCallPath = '/twilio/voice';

const withHeader = (request: HttpRequest): HttpRequest => ({
  ...request,
  headers: { ...request.headers, [tryHeader]: 'next' },
});

/** Whether the process is there for new connections. */
const takes = ({ isAlive, isListening }: SimulatedProcess): boolean => isAlive && isListening;

export class LeastCalls implements Balancer {
  readonly #clock: Clock;
  readonly #frozenSince = new Map<SimulatedProcess, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new call that one instance does not take goes to the next; the last one answers it, whatever it says. */
  async serve(request: HttpRequest, processes: readonly SimulatedProcess[]): Promise<HttpResponse> {
    const isNew = new URL(request.url).pathname === newCallPath;
    const passing = isNew ? await this.#try(withHeader(request), processes) : null;
    const answer = passing ?? (await this.#try(request, processes));
    if (answer === null) throw new ConnectFailure('nobody answers');
    return answer;
  }

  async #try(request: HttpRequest, processes: readonly SimulatedProcess[]): Promise<HttpResponse | null> {
    const tried = new Set<SimulatedProcess>();
    for (;;) {
      const next = this.#fewest(processes.filter((process) => !tried.has(process)));
      if (next === null) return null;
      tried.add(next);
      const answer = await this.#ask(next, request);
      if (answer !== null && answer.status !== 503) return answer;
    }
  }

  /** Whoever is frozen and not known to be takes no connection all the same: nobody answers the upgrade. */
  streamTaker(url: string, processes: readonly SimulatedProcess[]): SimulatedProcess | null {
    const name = url.slice(url.lastIndexOf('/') + 1);
    const open = processes.filter((process) => this.#isUp(process));
    const taker = open.find(({ instance }) => instance === name) ?? this.#fewest(open);
    return taker === null || taker.isFrozen ? null : taker;
  }

  #ask(process: SimulatedProcess, request: HttpRequest): Promise<HttpResponse | null> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => resolve(null), answerLimitMs);
      const settle = (answer: HttpResponse | null): void => {
        this.#clock.clearTimeout(timer);
        resolve(answer);
      };
      process.serve(request).then(settle, () => settle(null));
    });
  }

  #fewest(processes: readonly SimulatedProcess[]): SimulatedProcess | null {
    const open = processes.filter((process) => this.#isUp(process));
    const loads = open.map(({ assembly }) => assembly.registry.size);
    return open[loads.indexOf(Math.min(...loads))] ?? null;
  }

  #isUp(process: SimulatedProcess): boolean {
    if (!takes(process)) return false;
    const now = this.#clock.monotonic();
    if (!process.isFrozen) this.#frozenSince.delete(process);
    else if (!this.#frozenSince.has(process)) this.#frozenSince.set(process, now);
    return now - (this.#frozenSince.get(process) ?? now) < checkMs;
  }
}
