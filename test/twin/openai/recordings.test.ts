import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scriptedBrain } from '../../../src/twin/openai/scripted-brain.ts';
import type { RealtimeMessage } from '../../support/realtime-message.ts';
import { connect, silence, type TestClient, voice, type World } from './client.ts';
import { orderBreaches } from './order.ts';
import { type Recording, readRecordings } from './recordings.ts';
import { shapeBreaches } from './shapes.ts';

const recordings = readRecordings();

const received = ({ messages }: Recording): RealtimeMessage[] =>
  messages.filter(({ direction }) => direction === 'received').map(({ event }) => event);

/** What the twin must repeat exactly: all but pieces, transcriptions (which come when they come) and limits. */
const isMilestone = ({ type }: RealtimeMessage): boolean =>
  !/\.delta$|input_audio_transcription|rate_limits/.test(type);

const milestones = (events: readonly RealtimeMessage[]): string[] =>
  events.filter(isMilestone).map(({ type }) => type);

/** A brain that says and calls what was recorded. */
function brainOf(recording: Recording): ReturnType<typeof scriptedBrain> {
  const replies = received(recording)
    .filter(({ type }) => type === 'response.done')
    .map(({ response }) => {
      const texts = response.output.flatMap(({ content = [] }) => content);
      const calls = response.output.filter(({ type }) => type === 'function_call');
      return {
        say: texts.map(({ text, transcript }) => text ?? transcript),
        calls: calls.map((call) => ({ name: call.name, arguments: call.arguments })),
      };
    });
  const [first, afterResult] = replies;
  const turns = received(recording).some(
    ({ item }) => item?.role === 'assistant' && item.status === 'completed',
  );
  return scriptedBrain({
    turns: [
      {
        caller: 'recorded',
        reply: { ...(first ?? {}), ...(afterResult === undefined ? {} : { afterResult }) },
      },
      { caller: 'recorded', reply: turns ? (first ?? {}) : {} },
    ],
  });
}

/** The recorded voice, of which only the first samples were kept: speech from 1,760 to 4,032 ms. */
function callerAudio(appends: number): Buffer[] {
  const whole = Buffer.concat([silence(1_760), voice(2_272), silence(appends * 100)]);
  const samples = Buffer.alloc(whole.byteLength * 6);
  for (const [index, byte] of whole.entries()) {
    const sample = byte === 0xff ? 0 : Math.round(6_000 * Math.sin(index));
    for (let copy = 0; copy < 3; copy += 1) samples.writeInt16LE(sample, index * 6 + copy * 2);
  }
  return Array.from({ length: appends }, (_, index) => samples.subarray(index * 4_800, (index + 1) * 4_800));
}

/** The client's event with whole audio for the recorded beginning of it, and with the twin's own call id. */
function adapt(event: RealtimeMessage, audio: Buffer[], client: TestClient): object {
  if (event.type === 'input_audio_buffer.append')
    return { ...event, audio: audio.shift()?.toString('base64') };
  if (event.item?.type !== 'function_call_output') return event;
  const { call_id } = client.last('response.function_call_arguments.done');
  return { ...event, item: { ...event.item, call_id } };
}

/** Sends what the client of the recording sent, each message once the twin got as far as the service had. */
async function replay(recording: Recording): Promise<World> {
  const model = received(recording)[0]?.session.model;
  const world = await connect({ brain: brainOf(recording), model });
  const appends = recording.messages.filter(({ event }) => event.type === 'input_audio_buffer.append').length;
  const audio = callerAudio(appends);
  let seen = 0;
  for (const { direction, event } of recording.messages) {
    if (direction === 'received') {
      if (isMilestone(event)) seen += 1;
    } else {
      await world.clock.runUntil(() => milestones(world.client.events).length >= seen, 5_000);
      world.client.send(adapt(event, audio, world.client));
    }
  }
  await world.clock.advance(5_000);
  return world;
}

if (recordings.length > 0) {
  describe('the recorded sessions', () => {
    test.each(recordings)('$name keeps to the table of orders', (recording) => {
      expect(orderBreaches(received(recording))).toEqual([]);
    });

    test.each(recordings)('$name keeps to the table of fields', (recording) => {
      expect(shapeBreaches(received(recording))).toEqual([]);
    });

    test.each(recordings)('the twin answers the client of $name as the service did', async (recording) => {
      const { client } = await replay(recording);
      expect(client.errors).toEqual([]);
      expect(milestones(client.events)).toEqual(milestones(received(recording)));
      expect(orderBreaches(client.events)).toEqual([]);
      expect(shapeBreaches(client.events)).toEqual([]);
    });

    test.each(recordings)('the twin hears speech where the service heard it in $name', async (recording) => {
      const { client } = await replay(recording);
      const moments = (events: RealtimeMessage[]): unknown[] =>
        events
          .filter(({ type }) => /speech_(started|stopped)$/.test(type))
          .map(({ audio_start_ms, audio_end_ms }) => [audio_start_ms, audio_end_ms]);
      expect(moments(client.events)).toEqual(moments(received(recording)));
    });

    test.each(recordings)('the twin echoes the settings of $name as the service did', async (recording) => {
      const { client } = await replay(recording);
      const settings = (events: RealtimeMessage[]): unknown[] =>
        events
          .filter(({ type }) => type.startsWith('session.'))
          .map(({ session }) => ({
            ...session,
            id: '',
            expires_at: 0,
            instructions: session.instructions.slice(0, 4),
          }))
          .map((session) => ({
            ...session,
            instructions: session.instructions.startsWith('You') ? '' : session.instructions,
          }));
      expect(settings(client.events)).toEqual(settings(received(recording)));
    });
  });
} else {
  console.info(
    'OPENAI_RECORDINGS names no recorded sessions of the live service: the twin is compared with its tables only.',
  );
}

test('a folder of recordings is read by direction and event; one that is not there holds none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-recordings-'));
  try {
    const event = { type: 'session.created', event_id: 'event_1' };
    writeFileSync(
      join(folder, 'one.yaml'),
      `version: 1\ninteractions:\n- direction: received\n  data: ${JSON.stringify(event)}\n`,
    );
    writeFileSync(join(folder, 'README.md'), 'not a recording');
    expect(readRecordings(folder)).toEqual([
      { name: 'one.yaml', messages: [{ direction: 'received', event }] },
    ]);
    expect(readRecordings(join(folder, 'none'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
