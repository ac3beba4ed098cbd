/**
 * Owns: what becomes of a tool's run whose call has left this process: its outcome follows the call through the journal's
 * inbox. And what a process that recovers a tool call can know of a run that another one began.
 * Does not own: running (`src/agent/tool-runner.ts`), what an outcome does (the call chart).
 */
import type { Entry } from '../machines/entries.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { RetryError } from '../runtime/ports/errors.ts';
import type { Inbox, Json } from '../runtime/ports/journal.ts';
import type { Signal } from '../runtime/ports/signal.ts';
import type { ToolRuns } from './tool-calls.ts';

/** An outcome that the journal does not take is put again, for so long altogether: longer than a failover. */
const putTries = 20;
const putAgainMs = 500;

/** A process that may be at a run. */
export interface Claimer {
  instance: string;
  /** When it claimed the call, milliseconds since the Unix epoch: a process of its name that began later is another one. */
  at: number;
}

export interface ToolRunsOptions {
  instance: string;
  inbox: Pick<Inbox, 'put' | 'pending'>;
  clock: Clock;
  /** @throws RetryError `journal.unavailable` */
  isThere(claimer: Claimer): Promise<boolean>;
  /** A run is over, and its outcome where it belongs. */
  onEnded(): void;
  onTrouble(error: unknown): void;
}

export class ProcessToolRuns {
  readonly #options: ToolRunsOptions;
  /** Keys of the tool calls that are being run here, or whose outcome is on its way. */
  readonly #here = new Set<string>();

  constructor(options: ToolRunsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#here.size;
  }

  /** @param claimers of each tool call that is open: whoever has owned the call since it was asked for */
  forCall(callId: string, claimers: ReadonlyMap<string, readonly Claimer[]>): ToolRuns {
    const keyOf = (toolCallId: string): string => `${callId}/${toolCallId}`;
    return {
      begin: (toolCallId) => void this.#here.add(keyOf(toolCallId)),
      end: (toolCallId, late) => void this.#end(callId, keyOf(toolCallId), late),
      isUnderWay: (toolCallId) => this.#isUnderWay(keyOf(toolCallId), claimers.get(toolCallId) ?? []),
    };
  }

  async #end(callId: string, key: string, late: Signal | null): Promise<void> {
    if (late !== null) await this.#deliver(callId, late, outcomeId(key)).catch(this.#options.onTrouble);
    this.#here.delete(key);
    this.#options.onEnded();
  }

  async #deliver(callId: string, signal: Signal, id: string): Promise<void> {
    const { inbox, clock } = this.#options;
    for (let tries = 1; ; tries++) {
      try {
        await inbox.put({ id, callId, signal: signal as unknown as Json });
        return;
      } catch (error) {
        if (!(error instanceof RetryError) || tries === putTries) throw error;
      }
      await new Promise<void>((resolve) => clock.setTimeout(resolve, putAgainMs));
    }
  }

  async #isUnderWay(key: string, claimers: readonly Claimer[]): Promise<boolean> {
    if (this.#here.has(key)) return true;
    try {
      if (await this.#isOnItsWay(key)) return true;
      return await this.#isAnyThere(claimers);
    } catch {
      // Nobody knows: whoever asks waits no longer than the tool may take.
      return true;
    }
  }

  /** The outcome waits to be taken in. */
  async #isOnItsWay(key: string): Promise<boolean> {
    const { inbox, instance } = this.#options;
    return (await inbox.pending(instance)).some(({ id }) => id === outcomeId(key));
  }

  /** A process of our own name is a dead one, but for the runs that began in this one. */
  async #isAnyThere(claimers: readonly Claimer[]): Promise<boolean> {
    const { instance, isThere } = this.#options;
    const others = claimers.filter((claimer) => claimer.instance !== instance);
    return (await Promise.all(others.map(isThere))).includes(true);
  }
}

const outcomeId = (key: string): string => `${key}/outcome`;

/** By tool call without an outcome: who has owned the call since it was asked for. */
export function claimersOf(entries: readonly Entry[]): Map<string, Claimer[]> {
  const claimers = new Map<string, Claimer[]>();
  let owner: Claimer[] = [];
  for (const entry of entries) {
    if (entry.type === 'owner.claimed') {
      owner = [{ instance: entry.instance, at: entry.at }];
      for (const known of claimers.values()) known.push(...owner);
    } else if (entry.type === 'tool.requested') claimers.set(entry.toolCallId, [...owner]);
    else if (entry.type === 'tool.finished') claimers.delete(entry.toolCallId);
  }
  return claimers;
}
