import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placedAudio, Rig } from './support/rig.ts';

/** Bytes of audio before each mark. */
function stretches(sent: readonly (number | string)[]): number[] {
  const found: number[] = [];
  let bytes = 0;
  for (const message of sent) {
    if (typeof message === 'number') bytes += message;
    else found.push(bytes);
    if (typeof message === 'string') bytes = 0;
  }
  return found;
}

test('a delta is cut at 200 ms, each piece with its mark, and the rest is marked when the item ends', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 4_000);
  expect(rig.line.sent).toEqual([1_600, '1:1600', 1_600, '1:3200', 800]);
  rig.bridge.replyItemEnded('item');
  expect(rig.line.sent.slice(5)).toEqual(['1:4000']);
});

test('small deltas are sent as they come and share a mark', () => {
  const rig = new Rig();
  rig.attachLine();
  for (let count = 0; count < 5; count++) rig.reply('reply', 'item', 400);
  expect(rig.line.sent).toEqual([400, 400, 400, 400, '1:1600', 400]);
});

test('a small delta is handed to the line as it is', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.bridge.replyAudio('reply', 'item', placedAudio(0, 1_000));
  rig.line.play(1_000);
  expect(Buffer.from(rig.line.heard)).toEqual(placedAudio(0, 1_000));
});

test('the end of a reply ends its items, and an item whose end was marked gets no second mark', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'one', 500);
  rig.reply('reply', 'two', 1_600);
  rig.bridge.replyEnded('reply');
  expect(rig.line.sent).toEqual([500, '1:500', 1_600, '2:1600']);
});

test('an item is marked before another one takes over, also where they alternate', () => {
  const rig = new Rig();
  rig.attachLine();
  for (const itemId of ['one', 'two', 'one']) rig.reply('reply', itemId, 300);
  expect(rig.line.sent).toEqual([300, '1:300', 300, '2:300', 300]);
});

test('audio of an ended item is still played, and marked at once', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 300);
  rig.bridge.replyItemEnded('item');
  rig.reply('reply', 'item', 100);
  expect(rig.line.sent).toEqual([300, '1:300', 100, '1:400']);
});

test('empty audio opens nothing', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 0);
  expect(rig.bridge.heardItems()).toEqual([]);
  expect(rig.line.sent).toEqual([]);
});

test('whatever the sizes, the caller hears every byte in order and no mark is more than 200 ms from the last', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 20 });
  fc.assert(
    fc.property(sizes, sizes, (before, after) => {
      const rig = new Rig({ replyQueueMs: 60_000 });
      let bytes = 0;
      const say = (size: number) => {
        rig.bridge.replyAudio('reply', 'item', placedAudio(bytes, size));
        bytes += size;
      };
      for (const size of before) say(size);
      rig.attachLine();
      for (const [index, size] of after.entries()) {
        rig.line.isStalled = index % 3 === 1;
        say(size);
      }
      rig.bridge.replyItemEnded('item');
      rig.line.isStalled = false;
      rig.speak(Buffer.alloc(160));
      rig.line.play(bytes);
      expect(Buffer.from(rig.line.heard).equals(placedAudio(0, bytes))).toBe(true);
      expect(Math.max(0, ...stretches(rig.line.sent))).toBeLessThanOrEqual(1_600);
    }),
  );
});

test('audio that came before the line waits for it, then is heard before newer audio', () => {
  const rig = new Rig();
  rig.bridge.replyAudio('reply', 'item', placedAudio(0, 5_000));
  expect(rig.told).toEqual([]);
  rig.attachLine();
  rig.bridge.replyAudio('reply', 'item', placedAudio(5_000, 3_000));
  rig.line.play(1_000);
  expect(Buffer.from(rig.line.heard)).toEqual(placedAudio(0, 8_000));
});

test('a line that is full gets nothing until it has room; a frame, a mark or a delta is the occasion', () => {
  const occasions: ((rig: Rig) => void)[] = [
    (rig) => rig.speak(Buffer.alloc(160)),
    (rig) => rig.line.play(200),
    (rig) => rig.reply('reply', 'item', 10),
  ];
  for (const act of occasions) {
    const rig = new Rig();
    rig.attachLine();
    rig.reply('reply', 'item', 1_600);
    rig.line.isStalled = true;
    rig.reply('reply', 'item', 1_600);
    expect(rig.line.sent).toEqual([1_600, '1:1600']);
    rig.line.isStalled = false;
    act(rig);
    expect(rig.line.sent.slice(2, 4)).toEqual([1_600, '1:3200']);
  }
});

test('newer audio never overtakes what waits, even where room appears in between', () => {
  const rig = new Rig();
  rig.bridge.replyAudio('reply', 'item', placedAudio(0, 800));
  const heard: Buffer[] = [];
  let asked = 0;
  rig.bridge.attachLine({
    sendAudio: (audio) => heard.push(Buffer.from(audio)),
    sendMark: () => {},
    clear: () => {},
    bufferedBytes: () => (asked++ < 2 ? Number.MAX_SAFE_INTEGER : 0),
  });
  rig.bridge.replyAudio('reply', 'item', placedAudio(800, 800));
  rig.speak(Buffer.alloc(160));
  expect(Buffer.concat(heard)).toEqual(placedAudio(0, 1_600));
});

test('no more than the carrier will keep is on the line; the rest follows as it is played', () => {
  const rig = new Rig({ lineQueueMs: 1_000 });
  rig.attachLine();
  rig.reply('reply', 'item', 16_000);
  expect(rig.bridge.quality().playbackQueueMs).toBe(1_000);
  rig.pass(500);
  expect(rig.bridge.quality().playbackQueueMs).toBeLessThanOrEqual(1_000);
  rig.pass(1_500);
  expect(rig.line.heard).toHaveLength(16_000);
});

test('an item for which there is no room is cut there, told once, and heard without a hole', () => {
  const rig = new Rig({ replyQueueMs: 1_000 });
  rig.attachLine().isStalled = true;
  for (let place = 0; place < 16_000; place += 1_000) {
    rig.bridge.replyAudio('reply', 'item', placedAudio(place, 1_000));
  }
  rig.line.isStalled = false;
  rig.bridge.replyAudio('reply', 'item', placedAudio(16_000, 1_000));
  rig.bridge.replyEnded('reply');
  rig.pass(2_000);
  expect(Buffer.from(rig.line.heard)).toEqual(placedAudio(0, 8_000));
  expect(rig.toldOf('overflow')).toEqual([{ told: 'overflow', kind: 'reply' }]);
  expect(rig.bridge.quality()).toMatchObject({ agentOverflows: 1, cutAgentBytes: 9_000 });
  expect(rig.toldOf('progressed').at(-1)?.heard).toEqual({ receivedMs: 2_125, playedMs: 1_000 });
  expect(rig.toldOf('cutShort')).toEqual([{ told: 'cutShort', itemId: 'item', playedMs: 1_000 }]);
  expect(rig.toldOf('played')).toHaveLength(1);
});

test('of a piece that is longer than the room for it, as much is heard as there is room for', () => {
  const rig = new Rig({ replyQueueMs: 1_000 });
  rig.attachLine().isStalled = true;
  rig.bridge.replyAudio('reply', 'item', placedAudio(0, 16_000));
  rig.bridge.replyEnded('reply');
  rig.line.isStalled = false;
  rig.speak(Buffer.alloc(160));
  rig.pass(1_500);
  expect(Buffer.from(rig.line.heard)).toEqual(placedAudio(0, 8_000));
  expect(rig.bridge.quality()).toMatchObject({ agentOverflows: 1, cutAgentBytes: 8_000 });
});

test('of an item for which there is no room at all, it is told that nothing was played', () => {
  const rig = new Rig({ replyQueueMs: 1_000 });
  rig.attachLine().isStalled = true;
  rig.reply('reply', 'one', 8_000);
  rig.reply('reply', 'two', 8_000);
  rig.bridge.replyEnded('reply');
  expect(rig.toldOf('cutShort')).toEqual([{ told: 'cutShort', itemId: 'two', playedMs: 0 }]);
});

test('an item after one that was cut is heard', () => {
  const rig = new Rig({ replyQueueMs: 1_000 });
  rig.attachLine().isStalled = true;
  rig.reply('reply', 'one', 9_000);
  rig.line.isStalled = false;
  rig.reply('reply', 'two', 1_600, 2);
  expect(rig.line.sent.slice(-3)).toEqual(['1:8000', 1_600, '2:1600']);
});

test('a lost line takes what was begun with it; a reply that begins meanwhile waits for the next line', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('lost', 'one', 4_000, 1);
  rig.pass(100);
  rig.bridge.detachLine();
  rig.reply('lost', 'one', 4_000, 1);
  rig.reply('lost', 'two', 4_000, 2);
  rig.reply('next', 'three', 1_600, 3);
  const line = rig.attachLine();
  rig.pass(2_000);
  expect(new Set(line.heard)).toEqual(new Set([3]));
  expect(rig.bridge.quality().lateAgentBytes).toBe(8_000);
});

test('what waited for room on a lost line is not heard on the next one', () => {
  const rig = new Rig();
  rig.attachLine().isStalled = true;
  rig.reply('reply', 'item', 4_000);
  rig.attachLine();
  rig.pass(1_000);
  expect(rig.line.heard).toEqual([]);
});

test('marks echoed after the line was lost say nothing', () => {
  const rig = new Rig();
  const line = rig.attachLine();
  rig.reply('reply', 'item', 4_000);
  rig.bridge.detachLine();
  line.play(500);
  expect(rig.bridge.heardItems()[0]?.playedMs).toBe(0);
});

test('a second line replaces the first', () => {
  const rig = new Rig();
  const first = rig.attachLine();
  rig.reply('one', 'one', 800);
  rig.attachLine();
  rig.reply('two', 'two', 800);
  expect(first.sent).toEqual([800]);
  expect(rig.line.sent).toEqual([800]);
});
