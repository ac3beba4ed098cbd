/** Owns: a log of any length, made of one recorded conversation that is held again and again. */
import { chartNumber } from '../../../../src/machines/call/context.ts';
import { type Entry, entryFormat } from '../../../../src/machines/entries.ts';
import { settingsSchema } from '../../../../src/machines/settings.ts';
import type { CallRow, Commit, Json, Payload, StoredEntry } from '../../../../src/runtime/ports/journal.ts';
import { type CallState, step } from '../../../../src/runtime/step.ts';
import { recordingsOf } from '../../../journals/recording.ts';

const names = ['itemId', 'replyId', 'toolCallId'] as const;

interface Told {
  entry: StoredEntry;
  payloads: Payload[];
}

/** The same once more: other items, later, further down the log. */
function again({ entry, payloads }: Told, round: number, seqs: number, laterMs: number): Told {
  const seq = entry.seq + round * seqs;
  const renamed = names.flatMap((name) => (name in entry ? [[name, `${entry[name]}_${round}`]] : []));
  const items = Array.isArray(entry.items)
    ? {
        items: (entry.items as { itemId: string }[]).map((item) => ({
          ...item,
          itemId: `${item.itemId}_${round}`,
        })),
      }
    : {};
  const told = { ...entry, ...Object.fromEntries(renamed), ...items, seq, at: entry.at + round * laterMs };
  return { entry: told as StoredEntry, payloads: payloads.map((payload) => ({ ...payload, seq })) };
}

/** Commits of one call of about `length` entries, still live, in the present chart. */
export function longLog(length: number, callId = 'CA-long'): Commit[] {
  const recording = recordingsOf('0.1.0').find(({ name }) => name === 'whole-conversation');
  const told = (recording?.commits ?? []).flatMap(({ entries, payloads }) =>
    entries.map((entry): Told => ({ entry, payloads: payloads.filter(({ seq }) => seq === entry.seq) })),
  );
  const first = told.findIndex(({ entry }) => entry.type === 'caller.startedSpeaking');
  const last = told.slice(0, -15).findLastIndex(({ entry }) => entry.type === 'reply.played') + 1;
  const turn = told.slice(first, last);
  const spanMs = (turn.at(-1)?.entry.at ?? 0) - (turn[0]?.entry.at ?? 0) + 1_000;
  const rounds = Math.ceil((length - first) / turn.length);
  const all = [
    ...told.slice(0, first),
    ...Array.from({ length: rounds }, (_, round) =>
      turn.map((each) => again(each, round, turn.length, spanMs)),
    ).flat(),
  ];
  return commitsOf(callId, all.slice(0, length));
}

const present = (entry: StoredEntry): StoredEntry =>
  entry.type === 'call.created'
    ? {
        ...entry,
        chart: chartNumber,
        format: entryFormat,
        settings: settingsSchema.parse({ longestCallMs: 7_200_000 }) as unknown as Json,
      }
    : entry;

/** Each entry a commit of its own, with the state that it folds to. */
export function commitsOf(callId: string, told: readonly Told[]): Commit[] {
  let state: CallState | null = null;
  let row: CallRow = {
    callId,
    carrierCallId: callId,
    direction: 'incoming',
    owner: null,
    startedAt: told[0]?.entry.at ?? 0,
    endedAt: null,
    endReason: null,
    lastSeq: 0,
    state: null,
  };
  return told.map(({ entry: stored, payloads }): Commit => {
    const entry = present(stored);
    [state] = step(callId, state, entry as unknown as Entry);
    row = { ...row, lastSeq: entry.seq, state: state.snapshot.value as Json };
    if (entry.type === 'owner.claimed') row = { ...row, owner: String(entry.instance) };
    return { callId, entries: [entry], payloads, row, checkpoint: null, taken: [] };
  });
}
