/**
 * Owns: the turns and the recoveries of a call as rows that grow while it goes on.
 * Does not own: what a turn or a recovery is (`src/telemetry/timeline`).
 */
import type { Entry } from '../../machines/entries.ts';
import type { RecoveryView, TurnView } from '../../runtime/ports/operator.ts';
import { CallTimeline } from '../../telemetry/timeline/call-timeline.ts';
import type { Episode, EpisodeOf } from '../../telemetry/timeline/episode.ts';
import type { Loss } from '../../telemetry/timeline/recoveries.ts';
import type { OpenTurn } from '../../telemetry/timeline/turns.ts';
import { Tracked } from './tracked.ts';

/** A far side that said goodbye may have been right to: it was a loss once the call went on after it, or could not. */
const orderlyCauses: ReadonlySet<string> = new Set(['stopped', 'closed 1000', 'closed 1005', '1000']);

export class TimelineViews {
  readonly #timeline = new CallTimeline();
  readonly #turns = new Tracked<number, TurnView>();
  readonly #recoveries = new Tracked<number, RecoveryView>();
  /** When the newest reply of a turn that has no sound yet began. */
  #replyAt: { turn: number; at: number } | null = null;
  #openLosses: readonly Readonly<Loss>[] = [];
  #latencyMs: number | null = null;
  #recovered = 0;
  #isOver = false;

  /** From the caller's last word to the first sound of the newest answer. */
  get latencyMs(): number | null {
    return this.#latencyMs;
  }

  /** How often something was lost and came back, or did not. */
  get recoveries(): number {
    return this.#recovered;
  }

  apply(entry: Entry): void {
    const episodes = this.#timeline.apply(entry);
    this.#isOver ||= entry.type === 'call.ended';
    const { openTurn, openLosses } = this.#timeline;
    this.#noteReply(entry, openTurn);
    for (const episode of episodes) this.#end(episode, entry.seq);
    if (openTurn) this.#put(this.#turns, openTurnView(openTurn, this.#replyAt), entry.seq);
    const known = openLosses.filter(({ cause }) => !orderlyCauses.has(cause));
    this.#noteLosses(this.#isOver ? [] : known, entry);
  }

  turnsAfter(seq: number): TurnView[] {
    return this.#turns.changedAfter(seq);
  }

  recoveriesAfter(seq: number): RecoveryView[] {
    return this.#recoveries.changedAfter(seq);
  }

  #noteReply({ type, at }: Entry, openTurn: Readonly<OpenTurn> | null): void {
    if (type === 'reply.started' && openTurn?.voicedAt === null) this.#replyAt = { turn: openTurn.seq, at };
  }

  #end(episode: Episode, seq: number): void {
    if (episode.kind === 'answer') this.#latencyMs = episode.endedAt - episode.startedAt;
    else if (episode.kind === 'turn') this.#endTurn(episode, seq);
    else if (episode.kind === 'recovery') {
      this.#recovered += 1;
      const { rung, cause, startedAt, endedAt, outcome } = episode;
      const recovered = outcome === 'recovered';
      this.#put(this.#recoveries, { seq: episode.seq, rung, cause, startedAt, endedAt, recovered }, seq);
    }
  }

  #endTurn({ seq: turn, endedAt, outcome, tool }: EpisodeOf<'turn'>, seq: number): void {
    const open = this.#turns.get(turn);
    if (open) this.#put(this.#turns, { ...open, endedAt, outcome, tool }, seq);
  }

  /** A loss that is not open any more and did not end in a recovery came to nothing: the call was over. */
  #noteLosses(losses: readonly Readonly<Loss>[], { seq, at }: Entry): void {
    const over = this.#openLosses.filter((loss) => !losses.some((open) => open.seq === loss.seq));
    for (const { seq: lost } of over) {
      const view = this.#recoveries.get(lost);
      if (view?.endedAt === null) this.#put(this.#recoveries, { ...view, endedAt: at }, seq);
    }
    for (const { seq: lost, rung, cause, startedAt } of losses)
      this.#put(this.#recoveries, { seq: lost, rung, cause, startedAt, endedAt: null, recovered: null }, seq);
    this.#openLosses = losses;
  }

  #put<Row extends { seq: number }>(rows: Tracked<number, Row>, row: Row, seq: number): void {
    if (JSON.stringify(rows.get(row.seq)) !== JSON.stringify(row)) rows.set(row.seq, row, seq);
  }
}

function openTurnView(
  { seq, startedAt, lastWordAt, detectedAt, voicedAt, tool }: Readonly<OpenTurn>,
  reply: { turn: number; at: number } | null,
): TurnView {
  return {
    seq,
    startedAt,
    lastWordAt,
    detectedAt: lastWordAt === null ? null : detectedAt,
    replyAt: reply?.turn === seq ? reply.at : null,
    voicedAt,
    endedAt: null,
    outcome: null,
    tool,
  };
}
