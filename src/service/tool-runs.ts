/**
 * Owns: what becomes of a tool's run whose call has left this process: its outcome follows the call through the journal's
 * inbox. And what a process that recovers a tool call can know of a run that another one began.
 * Does not own: running (`src/agent/tool-runner.ts`), what an outcome does (the call chart).
 */
import type { Inbox, Json } from '../runtime/ports/journal.ts';
import type { Signal } from '../runtime/ports/signal.ts';
import type { ToolRuns } from './tool-calls.ts';

export interface ToolRunsOptions {
  instance: string;
  inbox: Pick<Inbox, 'put'>;
  /** @throws RetryError `journal.unavailable` */
  isThere(instance: string): Promise<boolean>;
  onTrouble(error: unknown): void;
}

export class ProcessToolRuns {
  readonly #options: ToolRunsOptions;
  /** Keys of the tool calls that are being run here. */
  readonly #here = new Set<string>();

  constructor(options: ToolRunsOptions) {
    this.#options = options;
  }

  /** @param previousOwner of the call, before it came here; null for one that began here */
  forCall(callId: string, previousOwner: string | null): ToolRuns {
    return {
      begin: (key) => void this.#here.add(key),
      end: (key, late) => {
        this.#here.delete(key);
        if (late !== null) void this.#deliver(callId, late, `${key}/outcome`);
      },
      isUnderWay: (key) => this.#isUnderWay(key, previousOwner),
    };
  }

  async #deliver(callId: string, signal: Signal, id: string): Promise<void> {
    const { inbox, onTrouble } = this.#options;
    await inbox.put({ id, callId, signal: signal as unknown as Json }).catch(onTrouble);
  }

  /** A process of our own name is a dead one, but for the runs that began in this one. */
  async #isUnderWay(key: string, previousOwner: string | null): Promise<boolean> {
    const { instance, isThere } = this.#options;
    if (this.#here.has(key)) return true;
    if (previousOwner === null || previousOwner === instance) return false;
    // Nobody knows: whoever asks waits no longer than the tool may take.
    return await isThere(previousOwner).catch(() => true);
  }
}
