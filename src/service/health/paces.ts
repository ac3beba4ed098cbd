/**
 * Owns: how often each dependency is looked at, how long a look may take, how many must fail, and what that proves.
 * Does not own: the looks (`looks.ts`).
 */
import type { DependencyName } from './dependency.ts';

export interface Pace {
  /** While all is well. */
  everyMs: number;
  /** After a look that failed. */
  retryMs: number;
  /** A look that takes longer has failed. */
  limitMs: number;
  /** Between two looks that were asked for by what was seen elsewhere. */
  leastMs: number;
}

export interface Watched {
  failuresUntilDown: number;
  /**
   * What the health of the service asks of it: `up`, that a look has found it and it is not down; `notDown`, only
   * that it is not known to be down; `nothing`: callers are served without it.
   */
  asks: 'up' | 'notDown' | 'nothing';
  /** For whoever reads the report: what a look proves, and what is lost with it. */
  proves: string;
  without: string;
}

/** The journal has no pace of its own: the beat of this process, once a second, is its look. */
export const paces: Record<Exclude<DependencyName, 'journal'>, Pace> = {
  // A session of a call that opens is a look too: with calls, none is opened for its own sake.
  model: { everyMs: 60_000, retryMs: 10_000, limitMs: 12_000, leastMs: 5_000 },
  carrierApi: { everyMs: 60_000, retryMs: 15_000, limitMs: 6_000, leastMs: 5_000 },
  webhooks: { everyMs: 300_000, retryMs: 15_000, limitMs: 6_000, leastMs: 5_000 },
  publicAddress: { everyMs: 30_000, retryMs: 10_000, limitMs: 5_000, leastMs: 5_000 },
  cluster: { everyMs: 10_000, retryMs: 5_000, limitMs: 2_000, leastMs: 5_000 },
};

/** The first looks of a process that starts, milliseconds. */
export const firstLookWithinMs = 1_000;

/** Processes that started together do not look together. Later by up to a tenth, never earlier. */
export const spread = (delayMs: number, random: () => number): number => delayMs * (1 + random() / 10);

export const watched: Record<DependencyName, Watched> = {
  journal: {
    failuresUntilDown: 2,
    asks: 'up',
    proves: 'The journal took the beat of this process, which it writes once a second.',
    without: 'No new call is taken; live ones go on for a minute.',
  },
  model: {
    failuresUntilDown: 3,
    asks: 'up',
    proves:
      'A session was opened: for a call, or for this look, which asks it for nothing and spends no token.',
    without: 'No new call is taken; live ones are tried again and put through or told in the end.',
  },
  carrierApi: {
    failuresUntilDown: 2,
    asks: 'nothing',
    proves: 'Twilio’s REST API answered a request with our credentials.',
    without:
      'Calls are taken and go on; the agent cannot end or transfer one, and a lost stream is not fetched back.',
  },
  webhooks: {
    failuresUntilDown: 1,
    asks: 'up',
    proves: 'The voice and status addresses of the number, read from Twilio, are those of this service.',
    without: 'The number’s calls go elsewhere.',
  },
  publicAddress: {
    failuresUntilDown: 2,
    asks: 'notDown',
    proves: 'The public address leads to this service, as seen from this host. Not that Twilio gets through.',
    without: 'Twilio may not get through either, and no call comes in.',
  },
  cluster: {
    failuresUntilDown: 2,
    asks: 'nothing',
    proves: 'The other processes on this journal beat, and this host’s clock agrees with the journal’s.',
    without: 'Calls of a process that dies may wait until Twilio asks for them.',
  },
};
