/**
 * Owns: what is known of a call of a drill once it is over: what the caller said and heard, what each model session
 * was given, what the carrier and the log say.
 * Does not own: what follows from it (`measure.ts`).
 */
import type { Entry } from '../../src/machines/entries.ts';
import { readEntries, replay } from '../../src/runtime/history.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { readSegments } from '../../src/twin/openai/segments.ts';
import type { TwinSession } from '../../src/twin/openai/twin-session.ts';
import type { CallEvent } from '../../src/twin/twilio/call/call-events.ts';
import type { CallHandle } from '../../src/twin/twilio/call/call-handle.ts';
import type { DrillCaller, HeardFrame, Said, SaidFrame } from './caller.ts';
import type { Effect } from './effects.ts';

/** Something that a drill did to a call, or to the process that held it; or a move, for which we end the stream. */
export interface Struck {
  at: number;
  what: 'stream' | 'model' | 'process' | 'move';
  /** Nothing reaches the far side from here on, though the stream seems open. */
  mutesStream: boolean;
}

/** What a model session was given of the caller's speech, in order. */
export type SessionFrames = readonly { utterance: number; frame: number }[];

export interface CallEvidence {
  callId: string;
  caller: number;
  heard: readonly HeardFrame[];
  saidFrames: readonly SaidFrame[];
  said: readonly Said[];
  /** The last answer was heard to its end. */
  isDone: boolean;
  hungUp: DrillCaller['hungUp'];
  /** See `wasTurnedAway`. */
  wasTurnedAway: boolean;
  struck: readonly Struck[];
  sessions: readonly SessionFrames[];
  /** Callers whose speech a session of this call was given; more than one is crosstalk. */
  strangers: number;
  events: readonly CallEvent[];
  entries: readonly Entry[];
  /** The log's own word; null where it does not say. */
  endReason: string | null;
  /** The log, driven through the chart again, gives the stored states. */
  replays: boolean;
  effects: readonly Effect[];
}

/** A call of a drill while it goes on. */
export interface DrillCall {
  caller: number;
  handle: CallHandle;
  party: DrillCaller;
  struck: Struck[];
}

export interface EvidenceSources {
  journal: Journal;
  sessions: readonly TwinSession[];
  effects: readonly Effect[];
  absences: readonly Absence[];
}

/** When which process went away: killed, frozen or cut off. */
export interface Absence extends Pick<Struck, 'at' | 'mutesStream'> {
  instance: string;
}

/** Faults of the twin's streams, by the names under which it reports them. */
const muting: ReadonlySet<string> = new Set(['reset', 'closeFrame', 'halfOpen', 'protocolError', 'mediaGap']);

export async function gatherEvidence(call: DrillCall, sources: EvidenceSources): Promise<CallEvidence> {
  const { handle, party, caller } = call;
  const { journal, effects } = sources;
  const row = await journal.findByCarrierId(handle.sid);
  const entries = row ? await readEntries(journal, row.callId) : [];
  const steps = row ? await replay(journal, row.callId) : [];
  const heardBySessions = sessionFrames(caller, sources.sessions);
  return {
    callId: row?.callId ?? handle.sid,
    caller,
    heard: party.heard,
    saidFrames: party.saidFrames,
    said: party.said,
    isDone: party.isDone,
    hungUp: party.hungUp,
    wasTurnedAway: wasTurnedAway(handle),
    struck: [
      ...call.struck,
      ...streamFaults(handle.events),
      ...movesIn(handle.events),
      ...absencesOf(entries, sources.absences),
    ].sort((one, other) => one.at - other.at),
    ...heardBySessions,
    events: handle.events,
    entries,
    endReason: row?.endReason ?? null,
    replays: steps.every(({ matches }) => matches),
    effects: effects.filter((effect) => effect.caller === caller),
  };
}

/** Before the call had a stream the carrier asked a fallback for it: it was declined, or found nobody. */
export function wasTurnedAway({ webhooks, events }: Pick<CallHandle, 'webhooks' | 'events'>): boolean {
  const firstAt = events.find(({ event }) => event === 'streamOpening')?.at ?? Number.POSITIVE_INFINITY;
  return webhooks.some(({ url, at }) => at <= firstAt && new URL(url).pathname.endsWith('/fallback'));
}

const streamFaults = (events: readonly CallEvent[]): Struck[] =>
  events.flatMap((event) =>
    event.event === 'faultStruck' && muting.has(event.fault)
      ? [{ at: event.at, what: 'stream' as const, mutesStream: true }]
      : [],
  );

/** Ends of streams by our side after which the call went on. */
const movesIn = (events: readonly CallEvent[]): Struck[] =>
  events.flatMap((event) => {
    if (event.event !== 'streamEnded' || event.end.by !== 'server') return [];
    const goesOn = events.some(({ event: next, at }) => next === 'streamStarted' && at > event.at);
    return goesOn ? [{ at: event.at, what: 'move' as const, mutesStream: true }] : [];
  });

/** Of the process that owned the call at that moment. */
function absencesOf(entries: readonly Entry[], absences: EvidenceSources['absences']): Struck[] {
  return absences.flatMap(({ at, instance, mutesStream }) => {
    const claim = entries.findLast((entry) => entry.type === 'owner.claimed' && entry.at <= at);
    const wasOver = entries.some((entry) => entry.type === 'call.ended' && entry.at <= at);
    if (wasOver || claim?.type !== 'owner.claimed' || claim.instance !== instance) return [];
    return [{ at, what: 'process' as const, mutesStream }];
  });
}

/** By the stamps in the sound that each session was given. */
function sessionFrames(caller: number, sessions: readonly TwinSession[]) {
  const given = sessions.map((session) => readSegments(session.appendedAudio()));
  const own = given.filter((runs) => runs.some(({ segment }) => segment === caller));
  return {
    sessions: own.map((runs) =>
      runs
        .filter(({ segment }) => segment === caller)
        .flatMap(({ reply, frames }) => frames.map((frame) => ({ utterance: reply, frame }))),
    ),
    strangers: own.filter((runs) => runs.some(({ segment }) => segment !== caller)).length,
  };
}
