/**
 * Owns: what must hold of the agent's sound in a simulated call: what was heard (I6), silence after an interruption (I7),
 * nothing said twice.
 * Does not own: the caller's words (`check-words.ts`).
 */
import type { Entry } from '../../src/machines/entries.ts';
import { conversationOf } from '../../src/runtime/conversation.ts';
import type { NumberedReply } from '../../src/twin/openai/script.ts';
import { framesOf, readSegments } from '../../src/twin/openai/segments.ts';
import type { TwinCall } from '../../src/twin/twilio/call/call.ts';
import type { SimulatedLog } from './check-log.ts';
import { levels } from './level.ts';
import { demand } from './violation.ts';
import type { World } from './world.ts';

/** Marks are at most this far apart, and a mark's echo travels twice. */
const markIntervalMs = 200;
const roundTripMs = 30;
const stampMs = 20;
const bytesPerMs = 8;

/** Of a reply that goes on after a loss, so much may be heard again. */
const repeatableMs = 1_200;

/** How far what the marks tell lags behind what was heard. */
const markLagMs = (world: World): number => markIntervalMs + roundTripMs + levels[world.level].frameMs;

/** Which reply of the script each of the model's items is, by its text. */
async function itemsOf(
  world: World,
  { callId, entries }: SimulatedLog,
  replies: readonly NumberedReply[],
): Promise<Map<string, number>> {
  const { lines } = conversationOf(entries, await world.journal.readPayloads(callId));
  return new Map(
    lines.flatMap((line) => {
      if (line.kind !== 'agent' || !line.text) return [];
      const said = line.text.trim();
      const reply = replies.find(({ segments }) =>
        segments
          .map(({ text }) => text)
          .join('')
          .startsWith(said),
      );
      return reply ? [[line.itemId, reply.reply] as const] : [];
    }),
  );
}

/** What the caller had heard of a reply by the moment `at`, milliseconds. */
function heardOfReplyMs(call: TwinCall, reply: number, at: number): number {
  const bytes = call
    .heard()
    .map((stretch) => stretch.bytes.subarray(0, Math.max(0, (at - stretch.at) * bytesPerMs)));
  const segments = readSegments(Buffer.concat(bytes)).filter((segment) => segment.reply === reply);
  return segments.reduce((heardMs, { frames }) => heardMs + frames.length * stampMs, 0);
}

/** Those by the caller: a reply that was cut by the loss of its stream goes on in the next. */
const interruptionsOf = ({ entries }: SimulatedLog): Extract<Entry, { type: 'reply.interrupted' }>[] =>
  entries.flatMap((entry, index) =>
    entry.type === 'reply.interrupted' && entries[index - 1]?.type === 'caller.startedSpeaking'
      ? [entry]
      : [],
  );

/**
 * I6: what the model is told of an interrupted reply is at most what was heard plus one mark interval, and at least
 * the last acknowledged mark: one interval, a frame and the echo's way less than what was heard. For calls with one
 * stream and one session, in which no reply is said twice.
 *
 * @returns how many items were looked at
 */
export async function checkHeard(
  world: World,
  call: TwinCall,
  log: SimulatedLog,
  replies: readonly NumberedReply[],
  jitterMs = 0,
): Promise<number> {
  const items = await itemsOf(world, log, replies);
  const slackMs = markLagMs(world) + jitterMs;
  let checked = 0;
  for (const interruption of interruptionsOf(log)) {
    for (const { itemId, playedMs } of interruption.items) {
      const reply = items.get(itemId);
      if (reply === undefined) continue;
      const heardMs = heardOfReplyMs(call, reply, log.timeOf(interruption));
      const words = () => `of reply ${reply} ${playedMs} ms count as heard, and ${heardMs} ms were`;
      demand(playedMs <= heardMs + markIntervalMs && playedMs >= heardMs - slackMs, 'I6', words);
      checked += 1;
    }
  }
  return checked;
}

/**
 * I7: once the flush has reached the carrier, no frame of the interrupted reply is heard again. Through a socket that is
 * half open it never does.
 *
 * @param repeatable replies whose words may be heard anew in another reply
 */
export function checkSilenceAfterInterrupt(
  world: World,
  call: TwinCall,
  log: SimulatedLog,
  repeatable: ReadonlySet<number>,
): number {
  const interruptions = interruptionsOf(log);
  const frameMs = levels[world.level].frameMs;
  for (const interruption of interruptions) {
    const flushedAt = log.timeOf(interruption) + roundTripMs + (frameMs > stampMs ? frameMs : 0);
    if (strikesOn(call).some(({ from, until }) => from <= flushedAt && flushedAt <= until)) continue;
    const before = readSegments(heardBetween(call, 0, flushedAt)).at(-1);
    if (before === undefined) continue;
    const until = repeatable.has(before.reply) ? nextVoiceAt(log, interruption) : Number.POSITIVE_INFINITY;
    const after = readSegments(heardBetween(call, flushedAt, until));
    const again = after.filter(({ reply }) => reply === before.reply);
    demand(again.length === 0, 'I7', () => `reply ${before.reply} was heard again after its interruption`);
  }
  return interruptions.length;
}

/** When the next reply is heard. */
function nextVoiceAt(log: SimulatedLog, { seq }: Entry): number {
  const voiced = log.entries.find((entry) => entry.seq > seq && entry.type === 'reply.voiced');
  return voiced === undefined ? Number.POSITIVE_INFINITY : log.timeOf(voiced);
}

/** Whole frames only: a frame that lies across the border counts to neither side. */
function heardBetween(call: TwinCall, from: number, until: number): Buffer {
  const parts = call.heard().map(({ at, bytes }) => {
    const first = Math.ceil(Math.max(0, from - at) / stampMs) * stampMs * bytesPerMs;
    const last = until === Number.POSITIVE_INFINITY ? bytes.length : Math.max(0, (until - at) * bytesPerMs);
    return bytes.subarray(first, Math.max(first, last));
  });
  return Buffer.concat(parts);
}

/** A segment that was heard from its first frame to its last. */
interface Hearing {
  reply: number;
  segment: number;
  /** When its last frame had sounded, at the latest. */
  endedAt: number;
}

/**
 * No whole segment is heard twice, unless its first hearing ended so shortly before a loss, or after the last that was
 * known before it, that nobody could know; or between the last mark before the loss of its session and the flush (I6).
 */
export function checkSaidOnce(
  world: World,
  call: TwinCall,
  log: SimulatedLog,
  replies: readonly NumberedReply[],
  repeatable: ReadonlySet<number>,
): void {
  const slackMs = repeatableMs + markLagMs(world);
  const losses = [
    ...lossesOf(world, call, log).map(({ from, until }) => ({
      from: from - slackMs,
      until: until + slackMs,
    })),
    ...flushesOf(world, log),
  ];
  const first = new Map<string, Hearing>();
  for (const hearing of hearingsOf(call, replies)) {
    const { reply, segment, endedAt } = hearing;
    if (repeatable.has(reply)) continue;
    const key = `${reply}/${segment}`;
    const before = first.get(key);
    first.set(key, hearing);
    const isUnknown = losses.some(
      ({ from, until }) => before && before.endedAt >= from && before.endedAt <= until,
    );
    demand(
      before === undefined || isUnknown,
      'said twice',
      () =>
        `segment ${segment} of reply ${reply} was heard whole ${endedAt - (before?.endedAt ?? 0)} ms apart`,
    );
  }
}

/** What was heard after the last mark before a session that was lost had its reply flushed. */
const flushesOf = (world: World, { entries, timeOf }: SimulatedLog): Span[] =>
  entries
    .filter(({ type }, index) => type === 'reply.interrupted' && entries[index - 1]?.type === 'model.closed')
    .map((entry) => ({ from: timeOf(entry) - markLagMs(world), until: timeOf(entry) + markLagMs(world) }));

/** Between two moments of the wall clock. */
interface Span {
  from: number;
  until: number;
}

/** Of each stream, from the fault that struck it until it was over; its end alone where none did. */
function strikesOn(call: TwinCall): Span[] {
  const strikes: Span[] = [];
  let struckAt: number | null = null;
  for (const event of call.events) {
    if (event.event === 'faultStruck') struckAt ??= event.at;
    if (event.event !== 'streamEnded') continue;
    strikes.push({ from: struckAt ?? event.at, until: event.at });
    struckAt = null;
  }
  return strikes;
}

/**
 * A process that lives and is cut off from the journal talks on, and nobody who claims its calls can know of it. One that
 * closes the stream itself gives the call away: it has to have written first what was heard.
 */
function unseenByClaims(call: TwinCall, { entries, timeOf }: SimulatedLog): Span[] {
  const givenAway = call.events.flatMap((event) =>
    event.event === 'streamEnded' && event.end.by === 'server' ? [event.at] : [],
  );
  let owner = '';
  return entries.flatMap((entry, index) => {
    const before = entries[index - 1];
    if (entry.type !== 'owner.claimed' || before === undefined) return [];
    const isTaken = owner !== '' && owner !== entry.instance;
    owner = entry.instance;
    const [from, until] = [timeOf(before), timeOf(entry)];
    return isTaken && !givenAway.some((at) => from <= at && at <= until) ? [{ from, until }] : [];
  });
}

/**
 * From when on nobody knew any more what was heard, until the stream was over. What a process heard after the last entry
 * that it wrote is gone with it.
 */
function lossesOf(world: World, call: TwinCall, log: SimulatedLog): Span[] {
  const { entries, timeOf } = log;
  const losses = [...strikesOn(call), ...unseenByClaims(call, log)];
  const startedAt = world.clock.now() - world.clock.monotonic();
  for (const { leftAt } of world.processes) {
    if (leftAt === null) continue;
    const until = startedAt + leftAt;
    const last = entries.findLast((entry) => timeOf(entry) <= until);
    losses.push({ from: last === undefined ? until : timeOf(last), until });
  }
  return losses;
}

function hearingsOf(call: TwinCall, replies: readonly NumberedReply[]): Hearing[] {
  const heard = new Map<string, Set<number>>();
  return call.heard().flatMap(({ at, bytes }) => {
    let endedAt = at;
    return readSegments(bytes).flatMap(({ reply, segment, frames }) => {
      const { lengthMs = 0 } = replies[reply]?.segments.find((each) => each.segment === segment) ?? {};
      const key = `${reply}/${segment}`;
      const length = framesOf(lengthMs);
      return frames.flatMap((frame): Hearing[] => {
        endedAt += stampMs;
        return isLast(heard, key, frame, length) ? [{ reply, segment, endedAt }] : [];
      });
    });
  });
}

/** Whether all frames of the segment have been heard with this one, since its first. */
function isLast(heard: Map<string, Set<number>>, key: string, frame: number, frames: number): boolean {
  const known = frame === 0 ? new Set<number>() : (heard.get(key) ?? new Set<number>());
  known.add(frame);
  const isWhole = known.size >= frames;
  heard.set(key, isWhole ? new Set() : known);
  return isWhole;
}
