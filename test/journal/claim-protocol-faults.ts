/**
 * Owns: what must hold of a call that several instances have created, claimed and written to: each fault in a sentence.
 * Does not own: how it came about (`claim-protocol.ts`).
 */
import { reflexes } from '../../src/machines/commands.ts';
import type { Call } from '../../src/runtime/call.ts';
import { replay } from '../../src/runtime/history.ts';
import type { Played } from './claim-protocol.ts';

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** What does not hold, each in a sentence. */
export async function faultsOf(played: Played): Promise<string[]> {
  return [
    ...faultsOfLog(played),
    ...(await faultsOfReplay(played)),
    ...faultsOfWriters(played),
    ...faultsOfPerformers(played),
    ...faultsOfLosers(played),
    ...faultsOfClaims(played),
  ];
}

function faultsOfLog({ log, diary }: Played): string[] {
  const holes = log
    .filter(({ seq }, at) => seq !== at + 1)
    .map(({ seq, type }) => `${seq} ${type} is out of place`);
  const lost = diary.acknowledged
    .filter((entry) => !same(entry, log[entry.seq - 1]))
    .map(({ seq, type }) => `${seq} ${type} was acknowledged and is not in the log`);
  const creations = diary.settled.filter(({ outcome }) => outcome === 'created').length;
  return [...holes, ...lost, ...(creations > 1 ? [`the call was created ${creations} times`] : [])];
}

async function faultsOfReplay({ journal, callId, log }: Played): Promise<string[]> {
  if (log.length === 0) return [];
  const replayed = await replay(journal, callId);
  return replayed.every(({ matches }) => matches) ? [] : ['the log does not replay to what was live'];
}

/** Each entry was stepped by exactly one instance: the one that owned the call by the log. */
function faultsOfWriters({ log, diary }: Played): string[] {
  let owner = '';
  return log.flatMap((entry) => {
    if (entry.type === 'owner.claimed') owner = entry.instance;
    const writers = diary.steps.filter(({ step }) => same(step.entry, entry));
    const names = new Set(writers.map(({ instance }) => instance.name));
    const isBefore = owner === '';
    return names.size >= 1 && (isBefore || names.has(owner))
      ? []
      : [`${entry.seq} ${entry.type} of ${owner} was written by ${[...names].join(' and ') || 'nobody'}`];
  });
}

/** A command that lasts is performed once, by whoever wrote its entry, and only once that is in the log. */
function faultsOfPerformers({ log, diary }: Played): string[] {
  const lasting = diary.happenings.filter(
    ({ what, key }) => what === 'performed' && !reflexes.has(key.split(' ')[0] as never),
  );
  const twice = lasting.filter(({ key }, at) => lasting.findIndex((other) => other.key === key) !== at);
  const baseless = lasting.filter(({ call, key }) => {
    const seq = Number(key.split('/').at(-2));
    const own = diary.steps.find(({ step }) => step.call === call && step.entry.seq === seq);
    return own === undefined || !same(own.step.entry, log[seq - 1]);
  });
  return [
    ...twice.map(({ key }) => `${key} was performed twice`),
    ...baseless.map(({ key, instance }) => `${instance.name} performed ${key}, which is in no log`),
  ];
}

function faultsOfLosers({ diary }: Played): string[] {
  const lost = new Set<Call>();
  return diary.happenings.flatMap(({ instance, call, what, key }) => {
    if (what !== 'lost')
      return lost.has(call) ? [`${instance.name} ${what} ${key} after it had lost the call`] : [];
    lost.add(call);
    return [];
  });
}

/** The newest stream has the call, and in the end it lives where the log says, and nowhere else. */
function faultsOfClaims(played: Played): string[] {
  const { log, row, acts: drawn, holders } = played;
  const faults = faultsOfStreams(played);
  const isKept = drawn.every(({ act }) => act !== 'release' && act !== 'die');
  if (isKept && row?.endedAt === null && !same(holders, [row.owner]))
    faults.push(`${row.owner} owns the call, and it lives in ${holders.join() || 'nobody'}`);
  if (holders.some((holder) => holder !== row?.owner))
    faults.push(`the call lives in ${holders.join()}, and is ${row?.owner}'s`);
  if (row !== undefined && row.lastSeq !== log.length) faults.push(`the index row says ${row.lastSeq}`);
  return faults;
}

function faultsOfStreams({ log, acts: drawn, diary }: Played): string[] {
  const attempts = log.flatMap((entry) =>
    entry.type === 'owner.claimed' && entry.attempt !== undefined ? [entry.attempt] : [],
  );
  const streams = diary.settled.filter(({ act }) => act.act === 'stream');
  const claimed = streams.filter(({ outcome }) => outcome === 'claimed').length;
  // What a process that died had refused, it may have refused for a newer one that died with it.
  const isDying = (instance: number): boolean =>
    drawn.some(({ act, who: dying }) => act === 'die' && dying === instance);
  const unjust = streams.filter(
    ({ act, outcome }) =>
      outcome === 'refused' &&
      !isDying(act.who) &&
      !attempts.some((attempt) => act.act === 'stream' && attempt >= act.attempt),
  );
  return [
    ...(attempts.some((attempt, at) => attempt <= (attempts[at - 1] ?? 0))
      ? [`streams won in the order ${attempts.join(', ')}`]
      : []),
    ...(claimed > attempts.length
      ? [`${claimed} streams were told that they won, and ${attempts.length} did`]
      : []),
    ...unjust.map(({ act }) => `${JSON.stringify(act)} was refused, and no newer stream came`),
  ];
}
