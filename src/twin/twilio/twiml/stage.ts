/**
 * Owns: what a verb may do with its call, and how a verb ends.
 * Does not own: doing it (`call/call-stage.ts`).
 */
import type { Clock } from '../../../runtime/ports/clock.ts';
import type { CallEndReason } from '../call/call-events.ts';
import type { NoticeCode } from '../notices.ts';
import type { StreamPolicy, TwinDelays } from '../settings.ts';
import type { StreamEnd } from '../stream/media-stream.ts';
import type { StreamSubscription } from '../webhooks/stream-callbacks.ts';
import type { NextDocument, WebhookAddress } from './document-loader.ts';

/** What comes after a verb: the next one, another document, or the end of the call. */
export type Step = { go: 'on' } | { go: 'to'; next: NextDocument } | EndStep;

/** `status` is for a call that was not answered yet. */
export interface EndStep {
  go: 'end';
  reason: CallEndReason;
  status?: 'busy' | 'no-answer';
}

export const goOn: Step = { go: 'on' };

export interface StreamRequest {
  /** As TwiML has it. */
  url: string;
  /** URL of the TwiML, for a relative one. */
  base: string | null;
  /** Null where TwiML names it not. */
  name: string | null;
  parameters: Readonly<Record<string, string>>;
  subscription: StreamSubscription | null;
}

export interface DialResult {
  sid: string;
  status: 'completed' | 'busy' | 'no-answer' | 'failed';
  durationSeconds: number;
}

export interface Stage {
  readonly clock: Clock;
  readonly delays: TwinDelays;
  readonly policy: StreamPolicy;
  /** Aborted when the call has ended or was updated: everything below then ends early. */
  readonly signal: AbortSignal;
  /** Answers the call, where it still rings. */
  answer(): void;
  wait(delayMs: number): Promise<void>;
  /** Twilio itself speaks, or plays the file that `text` names. */
  announce(text: string, durationMs: number): Promise<void>;
  stream(request: StreamRequest): Promise<StreamEnd>;
  dial(number: string, timeoutMs: number): Promise<DialResult>;
  /** A verb with this action was interrupted. */
  noteInterrupted(action: WebhookAddress, parameters: Readonly<Record<string, string>>): void;
  noteVerb(name: string): void;
  notice(code: NoticeCode, detail: string): void;
}

/** Resolves after the delay, or at once when the signal is aborted. */
export function waitFor(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.setTimeout(finish, delayMs);
    signal.addEventListener('abort', finish);
  });
}

/** What the work gives, or null as soon as the signal is aborted. */
export async function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
): Promise<Result | null> {
  const abandonment = new AbortController();
  const aborted = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { signal: abandonment.signal });
  });
  const result = signal.aborted ? null : await Promise.race([work, aborted]);
  abandonment.abort();
  return result;
}
