import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rig } from './support/rig.ts';
import { Story, storySteps } from './support/spoken-story.ts';

test('a reply is voiced when its first audio goes to the line, and played when its last mark is echoed', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'one', 1_600);
  rig.bridge.replyItemEnded('one');
  rig.reply('reply', 'two', 1_600);
  expect(rig.told).toEqual([{ told: 'voiced', replyId: 'reply', itemId: 'one' }]);
  rig.pass(1_000);
  expect(rig.toldOf('played')).toEqual([]);
  rig.bridge.replyEnded('reply');
  expect(rig.told.slice(1)).toEqual([
    { told: 'progressed', itemId: 'one', heard: { receivedMs: 200, playedMs: 200 }, atMs: 200 },
    { told: 'progressed', itemId: 'two', heard: { receivedMs: 200, playedMs: 200 }, atMs: 1_000 },
    { told: 'played', replyId: 'reply' },
  ]);
});

test('a reply that ends before it was played counts as played later', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 1_600);
  rig.bridge.replyEnded('reply');
  rig.pass(199);
  expect(rig.toldOf('played')).toEqual([]);
  rig.pass(1);
  expect(rig.toldOf('played')).toHaveLength(1);
});

test('a reply without audio counts as played when it ends', () => {
  const rig = new Rig();
  rig.bridge.replyItemEnded('unknown');
  rig.bridge.replyEnded('silent');
  expect(rig.told).toEqual([{ told: 'played', replyId: 'silent' }]);
});

test('an interrupted reply never counts as played', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 1_600);
  rig.bridge.interrupt();
  rig.bridge.replyEnded('reply');
  rig.pass(1_000);
  expect(rig.toldOf('played')).toEqual([]);
});

test('a reply whose line was lost never counts as played', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 1_600);
  rig.bridge.detachLine();
  rig.bridge.replyEnded('reply');
  rig.attachLine();
  rig.pass(1_000);
  rig.bridge.interrupt();
  expect(rig.toldOf('played')).toEqual([]);
});

test('an interruption in answer to the last progress leaves the reply interrupted', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.react = ({ told }) => {
    if (told === 'progressed') rig.bridge.interrupt();
  };
  rig.reply('reply', 'item', 1_600);
  rig.bridge.replyEnded('reply');
  rig.pass(1_000);
  expect(rig.toldOf('progressed')).toHaveLength(1);
  expect(rig.toldOf('played')).toEqual([]);
});

test('progress is told once per second that was played, and at the end', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.pass(5_000);
  rig.reply('reply', 'item', 20_000);
  rig.bridge.replyEnded('reply');
  rig.pass(3_000);
  expect(rig.toldOf('progressed').map(({ atMs, heard }) => [atMs, heard.playedMs])).toEqual([
    [6_000, 1_000],
    [7_000, 2_000],
    [7_500, 2_500],
  ]);
});

test('a burst of echoes tells progress once', () => {
  const rig = new Rig();
  const line = rig.attachLine();
  line.echoesMarks = false;
  rig.reply('reply', 'item', 40_000);
  rig.pass(3_000);
  for (const name of line.marks) rig.bridge.markEchoed(name);
  expect(rig.toldOf('progressed')).toHaveLength(1);
});

test('whatever happens, a reply is voiced at most once, and played at most once and only after it was voiced', () => {
  fc.assert(
    fc.property(storySteps, (steps) => {
      const story = new Story();
      for (const { tell } of steps) tell(story);
      story.rig.pass(2_000);
      const voiced = story.rig.toldOf('voiced').map(({ replyId }) => replyId);
      const played = story.rig.toldOf('played').map(({ replyId }) => replyId);
      expect(new Set(voiced).size).toBe(voiced.length);
      expect(new Set(played).size).toBe(played.length);
    }),
  );
});
