/** Owns: what must hold after any simulated call, whatever went wrong in it. Each check names its invariant. */
import { expect } from 'vitest';
import { frontDeskScript } from '../../src/demo/scenario.ts';
import type { Entry } from '../../src/machines/entries.ts';
import { conversationOf } from '../../src/runtime/conversation.ts';
import { readEntries, replay } from '../../src/runtime/history.ts';
import { type CallState, freeze, step } from '../../src/runtime/step.ts';
import { numberScript } from '../../src/twin/openai/script.ts';
import { readSegments } from '../../src/twin/openai/segments.ts';
import type { TwinCall } from '../../src/twin/twilio/call/call.ts';
import type { World } from './world.ts';

/** The only reasons for which a call may end. */
export const trueReasons = [
  'agent.hungUp',
  'caller.hungUp',
  'call.tooLong',
  'model.refused',
  'model.unavailable',
  'stream.lost',
  'carrier.failed',
  'carrier.canceled',
];

/** Marks are at most this far apart, and a mark's echo travels twice. */
const markIntervalMs = 200;
const roundTripMs = 30;
const frameMs = 20;

/** I1: for every prefix of the log, the fold equals the live state of that moment, after a JSON round trip. */
export async function checkReplay(world: World, callId: string): Promise<void> {
  const entries = JSON.parse(JSON.stringify(await readEntries(world.journal, callId))) as Entry[];
  const live = world.steps.filter(({ call }) => call.callId === callId);
  expect(entries.length).toBe(live.length);
  let state: CallState | null = null;
  for (const [index, entry] of entries.entries()) {
    [state] = step(callId, state, entry);
    const observed = live[index]?.after;
    expect(observed && freeze(observed)).toEqual(freeze(state));
  }
  expect((await replay(world.journal, callId)).filter(({ matches }) => !matches)).toEqual([]);
}

/** I2: the seq is dense and rising, and `at` never goes back. */
export async function checkOneWriter(world: World, callId: string): Promise<void> {
  const entries = await readEntries(world.journal, callId);
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  for (const [index, entry] of entries.entries()) {
    expect(entry.at).toBeGreaterThanOrEqual(entries[index - 1]?.at ?? 0);
  }
}

/** I4: nothing of any call is left, and nothing of ours went wrong. */
export function checkNoLeak(world: World): void {
  for (const process of world.living) {
    const { registry, live } = process.assembly;
    expect({
      calls: registry.size,
      parts: live.size,
      streams: process.streams.size,
      timers: process.surplusTimers,
      errors: process.errors,
    }).toEqual({ calls: 0, parts: 0, streams: 0, timers: 0, errors: [] });
  }
  expect(world.openai.sessions.filter(({ closure }) => closure === null)).toEqual([]);
}

/** I5, as far as this goes: the call has ended, here as at Twilio, for a reason that what went wrong can explain. */
export async function checkTrueReason(
  world: World,
  call: TwinCall,
  faults: { ofStreams: boolean; ofModel: boolean },
): Promise<void> {
  const reason = (await world.journal.findByCarrierId(call.sid))?.endReason;
  expect(trueReasons).toContain(reason);
  if (!faults.ofStreams) expect(reason).not.toBe('stream.lost');
  if (!faults.ofModel) expect(reason).not.toMatch(/^model\./);
}

/** Which reply of the script each of the model's items is, by its text. */
async function repliesOf(world: World, callId: string): Promise<Map<string, number>> {
  const { replies } = numberScript(frontDeskScript);
  const lines = conversationOf(
    await readEntries(world.journal, callId),
    await world.journal.readPayloads(callId),
  ).lines;
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
  const bytes = call.heard().map((stretch) => stretch.bytes.subarray(0, Math.max(0, (at - stretch.at) * 8)));
  const segments = readSegments(Buffer.concat(bytes)).filter((segment) => segment.reply === reply);
  return segments.reduce((heardMs, { frames }) => heardMs + frames.length * frameMs, 0);
}

/**
 * I6: what the model is told of an interrupted reply is at most what was heard plus one mark interval, and at least
 * the last acknowledged mark: one interval, a frame and the echo's way less than what was heard. For calls with one
 * stream and one session, in which no reply is said twice.
 */
export async function checkHeard(world: World, call: TwinCall, jitterMs = 0): Promise<number> {
  const replies = await repliesOf(world, call.sid);
  const slackMs = markIntervalMs + roundTripMs + frameMs + jitterMs;
  let checked = 0;
  for (const { call: owner, entry } of world.steps) {
    if (owner.callId !== call.sid || entry.type !== 'reply.interrupted') continue;
    for (const { itemId, playedMs } of entry.items) {
      const reply = replies.get(itemId);
      if (reply === undefined) continue;
      const heardMs = heardOfReplyMs(call, reply, entry.at);
      expect(playedMs).toBeLessThanOrEqual(heardMs + markIntervalMs);
      expect(playedMs).toBeGreaterThanOrEqual(heardMs - slackMs);
      checked += 1;
    }
  }
  return checked;
}

/** I7: once the flush has reached the carrier, no frame of the interrupted reply is heard again. */
export function checkSilenceAfterInterrupt(world: World, call: TwinCall): number {
  let checked = 0;
  for (const { call: owner, entry } of world.steps) {
    if (owner.callId !== call.sid || entry.type !== 'reply.interrupted') continue;
    const flushedAt = entry.at + roundTripMs;
    const before = readSegments(heardBetween(call, 0, flushedAt)).at(-1);
    const after = readSegments(heardBetween(call, flushedAt, Number.POSITIVE_INFINITY));
    expect(after.filter(({ reply }) => reply === before?.reply)).toEqual([]);
    checked += 1;
  }
  return checked;
}

/** Whole frames only: a frame that lies across the border counts to neither side. */
function heardBetween(call: TwinCall, from: number, until: number): Buffer {
  const parts = call.heard().map(({ at, bytes }) => {
    const first = Math.ceil(Math.max(0, from - at) / frameMs) * frameMs * 8;
    const last = until === Number.POSITIVE_INFINITY ? bytes.length : Math.max(0, (until - at) * 8);
    return bytes.subarray(first, Math.max(first, last));
  });
  return Buffer.concat(parts);
}
