/**
 * Owns: how often the carrier's edge refused or noticed what, and the log lines about it.
 * Does not own: the metrics made of the counts, the log.
 *
 * Invariants:
 * I9. One counter for each event of the table and nothing else is kept, whatever a peer sends.
 * T1. At most one line a second is logged; the next one says how many were left out.
 */
import type { Clock } from '../../runtime/ports/clock.ts';

/** Every event with what is logged of it, or null where counting is enough. */
const sentences = {
  'webhook.unsigned':
    'A webhook had no valid signature. TWILIO_AUTH_TOKEN must be the primary one of the account, and PUBLIC_URL the address that Twilio calls.',
  'webhook.malformed': 'A signed webhook was malformed.',
  'webhook.fallback': 'Twilio could not fetch or run our instructions and asked the fallback address.',
  'webhook.waitedOut': 'A call that was told to ask again got no other answer in time, and was given up.',
  'desk.late': 'A webhook was answered without knowing the call: its state did not come in time.',
  'desk.failed': 'A webhook was answered without knowing the call: its state could not be had.',
  'callback.unknownCall': null,
  'callback.streamStarted': null,
  'callback.streamStopped': null,
  'callback.otherEvent': null,
  'upgrade.unsigned':
    'A media stream was refused: it had no valid signature. PUBLIC_URL must be the address in the stream URL.',
  'upgrade.elsewhere': null,
  'upgrade.cutOff': 'A media stream was sent elsewhere: this process is cut off from the journal.',
  'stream.unstarted': 'A media stream did not start in time and was closed.',
  'stream.unadmitted': 'A media stream was closed: its token is missing, used, expired or of another call.',
  'stream.unanswered': 'A media stream was closed: nobody could say in time whether its token is good.',
  'stream.flooded': 'A media stream was closed: it sent more messages than any call does.',
  'stream.stuck': 'A media stream was dropped: its far side does not read.',
  'stream.deaf': 'A media stream was dropped: its far side does not answer pings.',
  'stream.failed': 'A media stream was closed: taking in what it sent failed.',
  'message.binary': null,
  'message.json': null,
  'message.event': null,
  'message.order': null,
  'message.streamId': null,
  'message.start': null,
  'message.media': null,
  'message.mark': null,
  'message.dtmf': null,
  'message.stop': null,
  'message.sequence': null,
  'message.backlog': null,
  'message.flood': null,
} as const satisfies Record<string, string | null>;

export type EdgeEvent = keyof typeof sentences;

/** Requests and streams from strangers, or from somebody who is not set up rightly. */
export const refusals: ReadonlySet<EdgeEvent> = new Set<EdgeEvent>([
  'webhook.unsigned',
  'webhook.malformed',
  'upgrade.unsigned',
  'stream.unadmitted',
  'stream.unstarted',
  'stream.flooded',
]);

/** `error` is given where one is behind the line; it may hold more than should be printed at every level. */
export type LogLine = (line: string, error?: unknown) => void;

const lineEveryMs = 1_000;

export class Tally {
  readonly #clock: Clock;
  readonly #log: LogLine;
  readonly #onRefused: (event: EdgeEvent) => void;
  readonly #counts = new Map<EdgeEvent, number>();
  #loggedAt = Number.NEGATIVE_INFINITY;
  #leftOut = 0;

  /** @param onRefused told of each of `refusals` */
  constructor(clock: Clock, log: LogLine, onRefused: (event: EdgeEvent) => void = () => undefined) {
    this.#clock = clock;
    this.#log = log;
    this.#onRefused = onRefused;
  }

  count(event: EdgeEvent, error?: unknown): void {
    this.#counts.set(event, this.countOf(event) + 1);
    const sentence = sentences[event];
    if (sentence !== null) this.#tell(sentence, error);
    if (refusals.has(event)) this.#onRefused(event);
  }

  /** How often the event was counted since this process began. */
  countOf(event: EdgeEvent): number {
    return this.#counts.get(event) ?? 0;
  }

  #tell(sentence: string, error: unknown): void {
    const now = this.#clock.monotonic();
    if (now - this.#loggedAt < lineEveryMs) {
      this.#leftOut += 1;
      return;
    }
    const leftOut = this.#leftOut === 0 ? '' : ` (${this.#leftOut} more lines were left out)`;
    this.#loggedAt = now;
    this.#leftOut = 0;
    this.#log(sentence + leftOut, error);
  }
}

/** Every event that a tally can count. */
export const edgeEvents = Object.keys(sentences) as EdgeEvent[];
