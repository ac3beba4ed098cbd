/**
 * Owns: closing what a process has opened, whatever of it there is.
 * Does not own: when (`src/machines/service.ts`).
 *
 * Invariants:
 * I4. Nothing that fails to close, or takes long, keeps the rest from being closed.
 */
import type { AdminServer } from '../adapters/http/admin-server.ts';
import type { PublicServer } from '../adapters/http/public-server.ts';
import type { Tunnel } from '../adapters/tunnel/ngrok.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import type { Assembly } from './assembly.ts';
import type { Console } from './console/create-console.ts';

export interface Closable {
  assembly?: Assembly;
  publicServer?: PublicServer;
  adminServer?: AdminServer;
  console?: Pick<Console, 'close'>;
  tunnel?: Tunnel;
  journal?: Journal;
  instanceLog?: { stop(): Promise<void> };
  meters?: { stop(): void };
  health?: { stop(): void };
  traces?: { shutdown(): Promise<void> };
}

export class Closings {
  readonly #onTrouble: (error: unknown) => void;
  readonly #closed = new Set<object>();

  constructor(onTrouble: (error: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  /** Closes what has not been closed before. The journal is last: the others write to it to their end. */
  async closeAll({
    assembly,
    publicServer,
    adminServer,
    console,
    tunnel,
    journal,
    instanceLog,
    meters,
    health,
    traces,
  }: Closable): Promise<void> {
    void publicServer?.stopListening();
    meters?.stop();
    health?.stop();
    assembly?.registry.stop();
    assembly?.live.releaseAll();
    await Promise.all([
      this.#leave(assembly),
      this.#close(traces, (open) => open.shutdown()),
      this.#close(tunnel, (open) => open.close()),
      this.#close(adminServer, (server) => server.close()),
      this.#close(console, (open) => open.close()),
      this.#close(publicServer, (server) => server.close()),
    ]);
    await this.#close(instanceLog, (log) => log.stop());
    await this.#close(journal, (open) => open.close());
  }

  /** Whether ends are untold is known only then: by its row the other processes learn of it. */
  async #leave(assembly: Assembly | undefined): Promise<void> {
    await this.#close(assembly?.deliveries, (deliveries) => deliveries.stop());
    await this.#close(assembly?.presence, (presence) => presence.stop());
  }

  async #close<Part extends object>(
    part: Part | undefined,
    close: (part: Part) => Promise<void>,
  ): Promise<void> {
    if (part === undefined || this.#closed.has(part)) return;
    this.#closed.add(part);
    await close(part).catch(this.#onTrouble);
  }
}
