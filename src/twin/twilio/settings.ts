/**
 * Owns: what can be set about the twin as a whole, with defaults from measurements of live calls.
 * Does not own: what can be set about one call (`call/call-order.ts`).
 */

/**
 * What Twilio does after a stream has ended that it did not end itself.
 * `action`: it requests the Connect action or runs the next verb; `hold`: the call stays up and nothing is requested;
 * `end`: it ends the call.
 */
export type AfterStream = 'action' | 'hold' | 'end';

/** Live calls prove `action` for a close frame (`closed`); for a lost connection (`lost`) it is an inference. */
export interface StreamPolicy {
  closed: AfterStream;
  lost: AfterStream;
}

export const policyOf = (policy: AfterStream | StreamPolicy): StreamPolicy =>
  typeof policy === 'string' ? { closed: policy, lost: policy } : policy;

/** All in milliseconds. */
export interface TwinDelays {
  /** From the TwiML to the upgrade request. */
  handshakeMs: number;
  /** From the accepted upgrade to `connected`. */
  firstMessageMs: number;
  /** From the end of a stream to the request for what comes next, or to the next verb. */
  continuationMs: number;
  /** From a REST update to its new TwiML; the interrupted verb's action is requested half-way. */
  updateMs: number;
  /** From an outgoing call's creation to `ringing`. */
  dialMs: number;
}

/** Live calls: 730 ms from a close to the next open socket, 90 ms from there to `connected`, 651 ms for an update. */
export const measuredDelays: TwinDelays = {
  handshakeMs: 365,
  firstMessageMs: 90,
  continuationMs: 365,
  updateMs: 651,
  dialMs: 500,
};

export interface TwinSettings {
  accountSid: string;
  authToken: string;
  /** Pairs that the REST API takes beside the account's own. */
  apiKeys: ReadonlyArray<{ sid: string; secret: string }>;
  policy: StreamPolicy;
  delays: TwinDelays;
  /** Takes `ws://` as well as `wss://`. Twilio does not: only for a server on this machine. */
  allowInsecureStreams: boolean;
  /** What a query string in a stream's URL does. Twilio documents neither. */
  streamQuery: 'refuse' | 'strip';
  /** How a deliberate close by the server is reported. Twilio documents neither. */
  closeReport: 'stream-stopped' | 'stream-error';
  /** Whether an update also requests the action of the verb that it interrupts. Measured for Dial. */
  requestsInterruptedAction: boolean;
  /** Whether a Connect action is requested once more after the caller has hung up. Twilio does not document it. */
  requestsActionAfterHangUp: boolean;
  /** Outgoing calls that start per second; what exceeds it is queued. */
  callsPerSecond: number;
  /**
   * Audio in one media message, and from one tick of the line to the next: a multiple of 20 ms. Twilio's is 20; longer
   * frames let a simulation carry many calls.
   */
  frameMs: number;
  /** Audio kept of either side of each call, in milliseconds of sound. */
  recordingLimitMs: number;
  /** Calls that are known; beyond them the oldest that has ended is forgotten. */
  mostKnownCalls: number;
}

export type TwinOptions = Pick<TwinSettings, 'accountSid' | 'authToken'> &
  Partial<Omit<TwinSettings, 'policy' | 'delays'>> & {
    policy?: AfterStream | StreamPolicy;
    delays?: Partial<TwinDelays>;
  };

export function settle(options: TwinOptions): TwinSettings {
  return {
    apiKeys: [],
    allowInsecureStreams: false,
    streamQuery: 'refuse',
    closeReport: 'stream-stopped',
    requestsInterruptedAction: false,
    requestsActionAfterHangUp: false,
    callsPerSecond: 1,
    frameMs: 20,
    recordingLimitMs: 30 * 60_000,
    mostKnownCalls: 10_000,
    ...options,
    policy: policyOf(options.policy ?? 'action'),
    delays: { ...measuredDelays, ...options.delays },
  };
}
