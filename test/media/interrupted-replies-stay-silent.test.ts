import { expect, test } from 'vitest';
import { Rig } from './support/rig.ts';

function interrupted(): Rig {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 8_000);
  rig.pass(100);
  rig.bridge.interrupt();
  return rig;
}

test('I7: nothing of an interrupted reply is sent after the flush, until the reply has ended', () => {
  const rig = interrupted();
  const sent = rig.line.sent.length;
  rig.reply('reply', 'item', 8_000);
  rig.reply('reply', 'second', 8_000);
  rig.pass(2_000);
  expect(rig.line.clears).toBe(1);
  expect(rig.line.sent).toHaveLength(sent);
  expect(rig.line.heard).toHaveLength(800);
  expect(rig.bridge.quality().lateAgentBytes).toBe(16_000);
});

test('another reply is heard at once, and the interrupted one stays silent beside it', () => {
  const rig = interrupted();
  rig.reply('next', 'other', 1_600, 2);
  rig.reply('reply', 'item', 1_600, 1);
  rig.pass(1_000);
  expect(rig.line.heardBytesOf(1)).toBe(800);
  expect(rig.line.heardBytesOf(2)).toBe(1_600);
});

test('what waited for a full line is thrown away too', () => {
  const rig = new Rig();
  rig.attachLine().isStalled = true;
  rig.reply('reply', 'item', 8_000);
  expect(rig.bridge.interrupt()).toEqual([
    { replyId: 'reply', itemId: 'item', receivedMs: 1_000, playedMs: 0 },
  ]);
  rig.line.isStalled = false;
  rig.speak(Buffer.alloc(160));
  expect(rig.line.sent).toEqual([]);
});

test('a reply with all its audio here needs no end to be forgotten', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 8_000);
  rig.bridge.replyEnded('reply');
  rig.bridge.interrupt();
  rig.reply('reply', 'again', 800);
  expect(rig.line.sent.at(-1)).toBe(800);
});

test('a reply none of whose audio has come can be interrupted by name', () => {
  const rig = new Rig();
  rig.attachLine();
  expect(rig.bridge.interrupt('coming')).toEqual([]);
  rig.reply('coming', 'item', 800);
  expect(rig.line.sent).toEqual([]);
  rig.bridge.replyEnded('coming');
  rig.reply('next', 'item', 800);
  expect(rig.line.sent).toEqual([800]);
});

test('audio for an item that belongs to another reply is dropped', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('one', 'item', 800);
  rig.reply('two', 'item', 800);
  expect(rig.line.sent).toEqual([800]);
  expect(rig.bridge.quality().lateAgentBytes).toBe(800);
});

test('an interruption from within a callback stops the delta that is being sent', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.react = ({ told }) => {
    if (told === 'voiced') rig.bridge.interrupt();
  };
  rig.reply('reply', 'item', 8_000);
  expect(rig.line.sent).toEqual([1_600]);
  rig.reply('reply', 'item', 8_000);
  expect(rig.line.sent).toEqual([1_600]);
});

test('an interruption without a line is remembered for the next one', () => {
  const rig = new Rig();
  rig.reply('reply', 'item', 800);
  expect(rig.bridge.interrupt()).toHaveLength(1);
  rig.attachLine();
  rig.reply('reply', 'item', 800);
  expect(rig.line.sent).toEqual([]);
});

test('the latest 64 interrupted replies are remembered, the oldest gives way', () => {
  const rig = new Rig();
  rig.attachLine();
  for (let count = 0; count < 65; count++) rig.bridge.interrupt(`reply${count}`);
  rig.bridge.interrupt('reply64');
  for (const replyId of ['reply1', 'reply64']) rig.reply(replyId, replyId, 800);
  expect(rig.line.sent).toEqual([]);
  rig.reply('reply0', 'item', 800);
  expect(rig.line.sent).toEqual([800]);
});
