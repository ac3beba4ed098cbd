import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AudioRing, blockBytes } from '../../src/media/ring.ts';
import { RecordingEar, Rig } from './support/rig.ts';

const settings = { ringMs: 1_000, replyQueueMs: 2_000 };

/** Ring and queue at their bounds, and what blocks round up to. */
const mostHeldBytes = 8_000 + 16_000 + 6 * blockBytes;

type Flood = (rig: Rig) => void;

const flood: fc.Arbitrary<Flood> = fc.oneof(
  fc.integer({ min: 1, max: 48_000 }).map(
    (bytes): Flood =>
      (rig) =>
        rig.speak(Buffer.alloc(bytes)),
  ),
  fc.tuple(fc.nat(200), fc.nat(200), fc.integer({ min: 1, max: 48_000 })).map(
    ([reply, item, bytes]): Flood =>
      (rig) =>
        rig.reply(`reply${reply}`, `item${item}`, bytes),
  ),
  fc.nat(200).map(
    (reply): Flood =>
      (rig) =>
        rig.bridge.replyEnded(`reply${reply}`),
  ),
  fc.constant<Flood>((rig) => rig.bridge.interrupt()),
  fc.constant<Flood>((rig) => rig.bridge.playHoldingSound()),
  fc.boolean().map(
    (is): Flood =>
      (rig) => {
        rig.line.isStalled = is;
      },
  ),
  fc.constant<Flood>((rig) => rig.attachLine()),
  fc.constant<Flood>((rig) => rig.bridge.attachEar(new RecordingEar())),
);

test('I9: under any flood the audio held stays within the bounds of the settings', () => {
  fc.assert(
    fc.property(fc.array(flood, { minLength: 20, maxLength: 80 }), (floods) => {
      const rig = new Rig(settings);
      rig.attachLine();
      for (const pour of floods) {
        pour(rig);
        expect(rig.bridge.quality().heldBytes).toBeLessThanOrEqual(mostHeldBytes);
        expect(rig.bridge.heardItems().length).toBeLessThanOrEqual(64);
      }
    }),
  );
});

test('an ear that takes nothing is given nothing, however much the caller says', () => {
  const rig = new Rig(settings);
  rig.attachLine();
  const ear = new RecordingEar();
  ear.isStalled = true;
  rig.bridge.attachEar(ear);
  for (let count = 0; count < 1_000; count++) rig.speak(Buffer.alloc(160));
  expect(ear.pieces).toEqual([]);
  expect(rig.bridge.quality().heldBytes).toBeLessThanOrEqual(8_000 + 3 * blockBytes);
});

test('an ear is given nothing more while its socket holds the bound of the settings', () => {
  const rig = new Rig({ socketBufferBytes: 1_000 });
  rig.attachLine();
  let bufferedBytes = 0;
  rig.bridge.attachEar({
    appendAudio: (payload) => {
      bufferedBytes += payload.length;
    },
    bufferedBytes: () => bufferedBytes,
  });
  for (let count = 0; count < 100; count++) rig.speak(Buffer.alloc(160));
  expect(bufferedBytes).toBeGreaterThanOrEqual(1_000);
  expect(bufferedBytes).toBeLessThan(1_000 + 428);
});

test('a model that jumps between items with each byte is cut before its bookkeeping outgrows the audio', () => {
  const rig = new Rig();
  for (let count = 0; count < 1_000; count++) rig.reply('reply', `item${count % 2}`, 1);
  expect(rig.bridge.quality()).toMatchObject({ agentOverflows: 1, cutAgentBytes: (1_000 - 256) / 2 });
});

test('a line that echoes no marks costs the memory of the oldest items, never the sound of the newest', () => {
  const rig = new Rig();
  const line = rig.attachLine();
  line.echoesMarks = false;
  for (let count = 0; count < 500; count++) {
    rig.reply(`reply${count}`, `item${count}`, 800);
    rig.bridge.replyEnded(`reply${count}`);
  }
  expect(rig.bridge.heardItems()).toHaveLength(64);
  expect(rig.bridge.heardItems()[0]?.itemId).toBe('item436');
  expect(line.sent.filter((message) => message === 800)).toHaveLength(500);
});

test('of replies that never end, the oldest is given up and stays silent', () => {
  const rig = new Rig();
  rig.attachLine();
  for (let count = 0; count < 65; count++) {
    rig.reply(`reply${count}`, `item${count}`, 800, count);
    rig.bridge.replyItemEnded(`item${count}`);
    rig.pass(100);
  }
  rig.reply('reply0', 'late', 800, 99);
  rig.pass(200);
  expect(rig.line.heardBytesOf(99)).toBe(0);
  rig.reply('reply1', 'late', 800, 99);
  rig.pass(200);
  expect(rig.line.heardBytesOf(99)).toBe(800);
});

test('audio that waits is copied, so that it pins no larger buffer and may be written over', () => {
  const rig = new Rig();
  const delta = Buffer.alloc(800, 7);
  rig.bridge.replyAudio('reply', 'item', delta);
  delta.fill(9);
  rig.attachLine();
  rig.pass(200);
  expect(rig.line.heardBytesOf(7)).toBe(800);
});

test('answered audio gives its memory back', () => {
  const rig = new Rig();
  rig.attachLine();
  for (let count = 0; count < 500; count++) rig.speak(Buffer.alloc(160));
  expect(rig.bridge.quality().heldBytes).toBeGreaterThanOrEqual(80_000);
  rig.bridge.answeredUpTo(rig.bridge.callerPosition);
  expect(rig.bridge.quality().heldBytes).toBeLessThanOrEqual(2 * blockBytes);
});

test('a ring at the default bound stays under 90 kB', () => {
  const ring = new AudioRing(80_000);
  for (let count = 0; count < 2_000; count++) ring.append(Buffer.alloc(160));
  expect(ring.heldBytes).toBeLessThan(90_000);
});
