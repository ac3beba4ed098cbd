/**
 * Owns: what the sessions of calls show of the model: one that opens is better evidence than any look.
 * Does not own: the sessions, what becomes of their calls.
 *
 * A session that does not open is no proof that the model is down: its settings may be at fault, which are the call's
 * own. It only gives reason to look.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Model, ModelListener, ModelSession } from '../../runtime/ports/model.ts';

export interface SessionEvidence {
  opened(tookMs: number): void;
  /** It ended before it was open, and not by us. */
  notOpened(): void;
}

/** The same model; what becomes of each opening is told. */
export const watchSessions = (model: Model, clock: Clock, evidence: SessionEvidence): Model => ({
  probe: () => model.probe(),
  open: (request, listener) => {
    const opening = new Opening(clock, evidence);
    const session = model.open(request, opening.overhear(listener));
    return opening.untilClosed(session);
  },
});

class Opening {
  readonly #clock: Clock;
  readonly #evidence: SessionEvidence;
  readonly #startedMs: number;
  #isDecided = false;

  constructor(clock: Clock, evidence: SessionEvidence) {
    this.#clock = clock;
    this.#evidence = evidence;
    this.#startedMs = clock.monotonic();
  }

  overhear(listener: ModelListener): ModelListener {
    return {
      onSignal: (signal) => {
        this.#take(signal.entry.type);
        listener.onSignal(signal);
      },
      onTurnEnded: (itemId, audioMs) => listener.onTurnEnded(itemId, audioMs),
      onReplyAudio: (replyId, itemId, audio) => listener.onReplyAudio(replyId, itemId, audio),
      onReplyItemEnded: (itemId) => listener.onReplyItemEnded(itemId),
      onReplyEnded: (replyId) => listener.onReplyEnded(replyId),
    };
  }

  /** What we close ourselves says nothing. */
  untilClosed(session: ModelSession): ModelSession {
    const close = session.close.bind(session);
    session.close = () => {
      this.#isDecided = true;
      close();
    };
    return session;
  }

  #take(type: string): void {
    if (this.#isDecided || (type !== 'model.opened' && type !== 'model.closed')) return;
    this.#isDecided = true;
    if (type === 'model.opened') this.#evidence.opened(this.#clock.monotonic() - this.#startedMs);
    else this.#evidence.notOpened();
  }
}
