/**
 * Owns: one call as a list shows it: from its row, or followed entry by entry.
 * Does not own: the row (`src/runtime/call.ts` writes it), where the figures come from.
 */
import { getStateNodes, type StateValue } from 'xstate';
import { callMachine } from '../../machines/call/machine.ts';
import type { Entry } from '../../machines/entries.ts';
import type { CallRow, Json, Payload } from '../../runtime/ports/journal.ts';
import type { CallSummary } from '../../runtime/ports/operator.ts';
import { formatState } from '../words/states.ts';

/** Who called whom; null once it is erased. */
export type Parties = Pick<CallSummary, 'from' | 'to'>;
export type Figures = Pick<CallSummary, 'latencyMs' | 'recoveries'>;

export const noParties: Parties = { from: null, to: null };
export const noFigures: Figures = { latencyMs: null, recoveries: null };

/** `call.created` holds them, and it is the first entry. */
export function partiesIn(payloads: readonly Payload[]): Parties {
  const content = (name: string): string | null =>
    payloads.find((payload) => payload.seq === 1 && payload.name === name)?.content ?? null;
  return { from: content('from'), to: content('to') };
}

/** By the chart's own tag. The state may be one of an older chart, which this one does not know. */
function isRecovering(state: Json): boolean {
  try {
    return getStateNodes(callMachine.root, state as StateValue).some(({ tags }) =>
      tags.includes('recovering'),
    );
  } catch {
    return false;
  }
}

export function summaryOf(row: CallRow, parties: Parties, figures: Figures): CallSummary {
  const { callId, direction, owner, startedAt, endedAt, endReason, lastSeq, state } = row;
  const stateText = formatState(state);
  return {
    callId,
    direction,
    ...parties,
    owner,
    startedAt,
    endedAt,
    endReason,
    lastSeq,
    state,
    stateText,
    recovering: endedAt === null && isRecovering(state),
    ...figures,
  };
}

/** What a log says of its row so far. */
export type FollowedRow = Pick<CallRow, 'owner' | 'endedAt' | 'endReason' | 'lastSeq' | 'state'>;

export const unwritten: FollowedRow = {
  owner: null,
  endedAt: null,
  endReason: null,
  lastSeq: 0,
  state: null,
};

/** The row after a further entry; whoever writes it does so by the same facts. */
export function followed(row: FollowedRow, entry: Entry, state: Json | undefined): FollowedRow {
  const next = { ...row, lastSeq: entry.seq, state: state ?? row.state };
  if (entry.type === 'owner.claimed' && row.endedAt === null) return { ...next, owner: entry.instance };
  if (entry.type !== 'call.ended') return next;
  return { ...next, owner: null, endedAt: entry.at, endReason: entry.reason };
}
