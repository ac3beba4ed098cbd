import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rig } from './support/rig.ts';
import { Story, storySteps } from './support/spoken-story.ts';

test('I6, I7: whatever is said, interrupted, stalled or cut off, what was heard is told truly and silence stays', () => {
  fc.assert(
    fc.property(storySteps, (steps) => {
      const story = new Story();
      for (const { tell } of steps) tell(story);
      story.rig.line.isStalled = false;
      story.rig.speak(Buffer.alloc(160));
      story.endReply();
      story.rig.pass(4_000);
      story.check();
      story.interrupt();
      story.rig.pass(200);
      story.check();
    }),
    { numRuns: 300 },
  );
});

function speaking(): Rig {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 8_000);
  return rig;
}

test('the caller has heard what the last echoed mark says, to the millisecond', () => {
  const rig = speaking();
  rig.pass(399);
  expect(rig.bridge.heardItems()).toEqual([
    { replyId: 'reply', itemId: 'item', receivedMs: 1_000, playedMs: 200 },
  ]);
  rig.pass(1);
  expect(rig.bridge.heardItems()[0]?.playedMs).toBe(400);
});

test('where a model falls silent within an item, what the caller heard of it is known to the end', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 3_000);
  rig.pass(375);
  rig.speak(Buffer.alloc(160));
  expect(rig.line.marks).toEqual(['1:1600']);
  rig.pass(20);
  for (let frame = 0; frame < 10; frame++) {
    rig.speak(Buffer.alloc(160));
    rig.pass(20);
  }
  expect(rig.line.marks).toEqual(['1:1600', '1:3000']);
  expect(rig.bridge.interrupt()[0]).toMatchObject({ receivedMs: 375, playedMs: 375 });
});

test('time alone says nothing: without echoes nothing counts as heard', () => {
  const rig = new Rig();
  rig.attachLine().echoesMarks = false;
  rig.reply('reply', 'item', 8_000);
  rig.pass(5_000);
  expect(rig.bridge.interrupt()[0]?.playedMs).toBe(0);
});

test('echoes of marks that a flush threw back say nothing', () => {
  const rig = speaking();
  rig.pass(250);
  const before = rig.bridge.quality().marksIgnored;
  expect(rig.bridge.interrupt()[0]?.playedMs).toBe(200);
  expect(rig.bridge.quality().marksIgnored - before).toBe(4);
  expect(rig.bridge.heardItems()).toEqual([]);
});

test('a flushed mark does not speak for a new reply that uses the same item', () => {
  const rig = speaking();
  const [flushed = ''] = rig.line.marks;
  rig.bridge.interrupt();
  rig.bridge.replyEnded('reply');
  rig.reply('next', 'item', 8_000);
  rig.bridge.markEchoed(flushed);
  expect(rig.bridge.heardItems()).toEqual([
    { replyId: 'next', itemId: 'item', receivedMs: 1_000, playedMs: 0 },
  ]);
});

test('marks that were never sent, came before or make no sense are counted and change nothing', () => {
  const rig = speaking();
  rig.pass(400);
  const ignored = [
    '1:1600',
    '1:3200',
    '1:9000',
    '2:1600',
    '1:',
    ':1600',
    '12',
    '1:4e3',
    'greeting',
    '1:-4800',
    '',
  ];
  for (const name of ignored) rig.bridge.markEchoed(name);
  expect(rig.bridge.heardItems()[0]?.playedMs).toBe(400);
  expect(rig.bridge.quality().marksIgnored).toBe(ignored.length);
});

test('a later mark speaks for the ones before it', () => {
  const rig = new Rig();
  rig.attachLine().echoesMarks = false;
  rig.reply('reply', 'item', 8_000);
  rig.bridge.markEchoed('1:4800');
  expect(rig.bridge.heardItems()[0]?.playedMs).toBe(600);
});

test('odd sizes are rounded down and never exceed what was received', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'one', 1_003);
  rig.bridge.replyItemEnded('one');
  rig.pass(1_000);
  expect(rig.toldOf('progressed').map(({ heard }) => heard)).toEqual([{ receivedMs: 125, playedMs: 125 }]);
});

test('an item that was played but may go on is told at an interruption', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 1_600);
  rig.pass(300);
  expect(rig.bridge.interrupt()).toEqual([
    { replyId: 'reply', itemId: 'item', receivedMs: 200, playedMs: 200 },
  ]);
});

test('an item that was played to its end is told no more', () => {
  const rig = speaking();
  rig.bridge.replyItemEnded('item');
  rig.pass(1_001);
  expect(rig.bridge.heardItems()).toEqual([]);
  expect(rig.bridge.interrupt()).toEqual([]);
});

test('after the line is lost, what was heard stays known until an interruption takes it', () => {
  const rig = speaking();
  rig.pass(450);
  rig.bridge.detachLine();
  const heard = [{ replyId: 'reply', itemId: 'item', receivedMs: 1_000, playedMs: 400 }];
  expect(rig.bridge.heardItems()).toEqual(heard);
  rig.bridge.replyEnded('reply');
  rig.attachLine();
  rig.bridge.markEchoed('1:4800');
  expect(rig.bridge.heardItems()).toEqual(heard);
  expect(rig.bridge.interrupt()).toEqual(heard);
  expect(rig.bridge.heardItems()).toEqual([]);
});

test('what is told at most lags a second and a mark behind what was heard', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 80_000);
  for (let passedMs = 0; passedMs < 10_000; passedMs += 10) {
    rig.pass(10);
    const toldMs = rig.toldOf('progressed').at(-1)?.heard.playedMs ?? 0;
    expect(rig.line.heard.length / 8 - toldMs).toBeLessThanOrEqual(1_200);
  }
});
