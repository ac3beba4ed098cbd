/**
 * Owns: the load peers as their parent sees them: commands, and what they tell.
 * Does not own: their process's inside (`peers-process.ts`).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Placement } from '../../src/twin/load/load-peers.ts';
import type { FiguresByName } from '../../src/twin/load/measures.ts';
import { cpuMsOf, waitMsOf } from '../process-figures.ts';
import { deathOf } from './while-alive.ts';

type Order =
  | { do: 'place'; placement: Placement }
  | { do: 'startWindow' | 'roll' | 'window' | 'hangUp' | 'clear' | 'close' };

export type Command = Order & { id: number };

export interface Reply {
  id: number;
  result: unknown;
}

export interface Told {
  liveCalls: number;
  liveSessions: number;
  counts: Record<string, number>;
  figures: FiguresByName;
}

export class Peers {
  readonly port: number;
  /** Rejects when their process ends by itself. */
  readonly died: Promise<never>;
  readonly #child: ChildProcess;
  readonly #host: string;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #lastId = 0;
  #isOver = false;

  private constructor(child: ChildProcess, host: string, port: number) {
    this.#child = child;
    this.#host = host;
    this.port = port;
    const died = Promise.withResolvers<never>();
    this.died = died.promise;
    this.died.catch(() => undefined);
    child.once('exit', (code, signal) => {
      if (!this.#isOver) died.reject(deathOf('the load peers', code, signal));
    });
    child.on('message', ({ id, result }: Reply) => {
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  /** They listen there; port 0 is any that is free. */
  static start(
    { host, port }: { host: string; port: number } = { host: '127.0.0.1', port: 0 },
  ): Promise<Peers> {
    const child = fork(join(import.meta.dirname, 'peers-process.ts'), [host, String(port)], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--conditions=holdfast-source'],
    });
    return new Promise((resolve, reject) => {
      child.once('message', ({ result }: Reply) => resolve(new Peers(child, host, Number(result))));
      child.once('exit', (code, signal) => reject(deathOf('the load peers', code, signal)));
    });
  }

  /** Host and port. */
  get address(): string {
    return `${this.#host}:${this.port}`;
  }

  /** Resolves when the last call was placed. */
  async place(placement: Placement): Promise<void> {
    await this.#order({ do: 'place', placement });
  }

  async startWindow(): Promise<void> {
    await this.#order({ do: 'startWindow' });
  }

  /** Of the time since the last `roll`. */
  async roll(): Promise<Told> {
    return (await this.#order({ do: 'roll' })) as Told;
  }

  /** Of the time since `startWindow`. */
  async window(): Promise<Told> {
    return (await this.#order({ do: 'window' })) as Told;
  }

  async hangUp(): Promise<void> {
    await this.#order({ do: 'hangUp' });
  }

  /** Forgets what was counted and measured. */
  async clear(): Promise<void> {
    await this.#order({ do: 'clear' });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#order({ do: 'close' });
  }

  kill(): void {
    this.#isOver = true;
    this.#child.kill('SIGKILL');
  }

  cpuMs(): number {
    return cpuMsOf(this.#child.pid ?? 0);
  }

  waitMs(): number {
    return waitMsOf(this.#child.pid ?? 0);
  }

  /** @throws Error where their process is gone, or goes before it has answered */
  #order(order: Order): Promise<unknown> {
    const id = ++this.#lastId;
    const answered = new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ ...order, id }, (error) => error && reject(error));
    });
    return Promise.race([answered, this.died]);
  }
}
