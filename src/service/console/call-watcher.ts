/**
 * Owns: one call as all pages see that watch it: its log is read and folded once, and goes on as it is written.
 * Does not own: what is shown (`call-projection.ts`), the reading (`log-tail.ts`), how long it is kept
 * (`call-watchers.ts`).
 *
 * Invariants:
 * W1. A page is told what it does not know, in order and once; after trouble with the journal too.
 * W2. Folding gives way: no frame of a call waits for a page.
 * W3. What this process has just written is neither read nor folded again. What is shown is the same.
 */
import { referencesOf } from '../../machines/entries.ts';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { FixCallError, RetryError } from '../../runtime/ports/errors.ts';
import type { Feed, Log, Payload, StoredCommit } from '../../runtime/ports/journal.ts';
import type { CallPatch, CallView, Stop } from '../../runtime/ports/operator.ts';
import { CallProjection, type PayloadsBySeq } from './call-projection.ts';
import type { LocalSteps } from './local-steps.ts';
import { LogTail } from './log-tail.ts';
import { Slices } from './slices.ts';

/** After the journal did not answer. */
export const retryMs = 1_000;

export interface PatchListener {
  patch(patch: CallPatch): void;
  failed(error: unknown): void;
}

export interface CallWatcherOptions {
  journal: Log & Feed;
  clock: Clock;
  isDrawn(chart: number): boolean;
  local: Pick<LocalSteps, 'follow' | 'after'>;
}

interface Page {
  listener: PatchListener;
  /** The last entry that it knows. */
  seq: number;
  /** It was told of trouble that has not passed. */
  knowsTrouble: boolean;
}

export class CallWatcher {
  readonly callId: string;
  readonly #options: CallWatcherOptions;
  readonly #pages = new Set<Page>();
  readonly #tail: LogTail;
  readonly #unfollowLocal: Stop;
  #projection: CallProjection | null = null;
  #retry: TimerHandle | null = null;
  #isStopped = false;

  constructor(callId: string, options: CallWatcherOptions) {
    this.callId = callId;
    this.#options = options;
    this.#tail = new LogTail({
      callId,
      journal: options.journal,
      take: (commits) => this.#take(commits),
      onNews: () => this.#wake(),
    });
    this.#unfollowLocal = options.local.follow(callId);
  }

  get pages(): number {
    return this.#pages.size;
  }

  /** Everything there is now. @throws FixCallError `call.unknown`, and what the journal throws */
  async view(): Promise<CallView> {
    return (await this.#current()).view();
  }

  watch(afterSeq: number, listener: PatchListener): Stop {
    const page: Page = { listener, seq: afterSeq, knowsTrouble: false };
    this.#pages.add(page);
    this.#wake();
    return () => void this.#pages.delete(page);
  }

  stop(): void {
    this.#isStopped = true;
    this.#tail.stop();
    this.#unfollowLocal();
    this.#pages.clear();
    if (this.#retry !== null) this.#options.clock.clearTimeout(this.#retry);
  }

  async #current(): Promise<CallProjection> {
    await this.#tail.catchUp();
    if (this.#projection) return this.#projection;
    throw new FixCallError('call.unknown', `There is no call ${this.callId}.`);
  }

  #wake(): void {
    if (this.#pages.size === 0) return;
    if (this.#projection && this.#takeLocal(this.#projection)) this.#tell(this.#projection);
    else {
      this.#current().then(
        (projection) => this.#tell(projection),
        (error: unknown) => this.#fail(error),
      );
    }
  }

  /** W3. */
  #takeLocal(projection: CallProjection): boolean {
    if (this.#tail.isReading || !projection.mayAdopt) return false;
    const steps = this.#options.local.after(this.callId, projection.lastSeq);
    for (const step of steps) projection.adopt(step);
    if (steps.length > 0) this.#tail.skipTo(projection.lastSeq);
    return steps.length > 0;
  }

  #tell(projection: CallProjection): void {
    for (const page of [...this.#pages]) {
      page.knowsTrouble = false;
      if (page.seq >= projection.lastSeq || !this.#pages.has(page)) continue;
      const patch = projection.patchAfter(page.seq);
      page.seq = projection.lastSeq;
      page.listener.patch(patch);
    }
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    for (const page of [...this.#pages].filter(({ knowsTrouble }) => !knowsTrouble)) {
      page.knowsTrouble = true;
      page.listener.failed(error);
    }
    if (!(error instanceof RetryError) || this.#retry !== null) return;
    this.#retry = this.#options.clock.setTimeout(() => {
      this.#retry = null;
      this.#wake();
    }, retryMs);
  }

  async #take(commits: readonly StoredCommit[]): Promise<void> {
    const payloads = await this.#payloadsOf(commits);
    this.#projection ??= await this.#begin();
    const slices = new Slices();
    for (const commit of commits) {
      this.#projection.apply(commit, payloads);
      await slices.giveWay();
    }
  }

  async #begin(): Promise<CallProjection> {
    const { journal, isDrawn } = this.#options;
    const [row] = await journal.list({ callId: this.callId, limit: 1 });
    if (!row) throw new FixCallError('call.unknown', `There is no call ${this.callId}.`);
    return new CallProjection(row, isDrawn);
  }

  /** Read after the entries: what is not there any more was erased. */
  async #payloadsOf(commits: readonly StoredCommit[]): Promise<PayloadsBySeq> {
    const refers = commits.some(({ entries }) => entries.some((entry) => referencesOf(entry).length > 0));
    const rows: Payload[] = refers ? await this.#options.journal.readPayloads(this.callId) : [];
    return Map.groupBy(rows, ({ seq }) => seq);
  }
}
