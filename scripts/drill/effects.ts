/**
 * Owns: where the tools of a drill have their effects: outside the processes that are killed, so that what was done
 * can be counted; and the static fallback document for the carrier.
 * Does not own: the tools (`agent.ts`), judging what was done (`measure.ts`).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ToolName } from './conversation.ts';

/** One attempt of a process to have an effect. */
export interface Effect {
  at: number;
  tool: ToolName;
  key: string;
  caller: number;
  question: number;
  pid: number;
  /** It was done, and not only asked for. */
  done: boolean;
}

/** What happens to an attempt: it is done after `delayMs`; or it is held, done or not, and never answered. */
export type Treatment = { delayMs: number } | { hold: 'done' | 'undone' };

export interface EffectsOptions {
  /** The TwiML that is served at `/fallback`. */
  fallback: string;
}

const usual: Treatment = { delayMs: 500 };

export class Effects {
  readonly attempts: Effect[] = [];
  /** Decides about each attempt. */
  treat: (effect: Effect) => Treatment = () => usual;
  readonly #server: Server;
  readonly #options: EffectsOptions;

  private constructor(options: EffectsOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.keepAliveTimeout = 1;
  }

  static async open(options: EffectsOptions): Promise<Effects> {
    const effects = new Effects(options);
    await new Promise<void>((resolve) => effects.#server.listen(0, '127.0.0.1', resolve));
    return effects;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://drill');
    if (url.pathname === '/fallback') {
      response.setHeader('content-type', 'text/xml').end(this.#options.fallback);
    } else if (request.method === 'POST') {
      await this.#attempt(await bodyOf(request), response);
    } else {
      const found = this.attempts.find(({ key, done }) => done && key === url.searchParams.get('key'));
      response.writeHead(found ? 200 : 404).end(JSON.stringify(found ?? null));
    }
  }

  async #attempt(body: string, response: ServerResponse): Promise<void> {
    const effect: Effect = { at: Date.now(), ...JSON.parse(body), done: false };
    this.attempts.push(effect);
    const treatment = this.treat(effect);
    if ('hold' in treatment) {
      effect.done = treatment.hold === 'done';
      return;
    }
    await sleep(treatment.delayMs);
    // Whoever asked may be gone: what was not done by then is not done any more.
    if (response.destroyed) return;
    effect.done = true;
    response.end('{}');
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
