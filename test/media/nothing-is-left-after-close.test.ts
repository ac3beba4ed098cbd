import { expect, test } from 'vitest';
import { blockBytes } from '../../src/media/ring.ts';
import { RecordingEar, Rig, type Told } from './support/rig.ts';

/** A bridge in the middle of everything: speech both ways, a full line, an ear behind. */
function busy(): { rig: Rig; ear: RecordingEar } {
  const rig = new Rig();
  rig.attachLine();
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  rig.speak(Buffer.alloc(160));
  rig.reply('reply', 'item', 4_000);
  rig.line.isStalled = true;
  rig.reply('reply', 'item', 4_000);
  return { rig, ear };
}

function useEverything(rig: Rig): void {
  rig.attachLine();
  rig.bridge.attachEar(new RecordingEar());
  rig.speak(Buffer.alloc(160));
  rig.reply('other', 'other', 4_000);
  rig.bridge.replyItemEnded('item');
  rig.bridge.replyEnded('reply');
  rig.bridge.replyEnded('never seen');
  rig.bridge.markEchoed('1:1600');
  rig.bridge.answeredUpTo(160);
  rig.bridge.interrupt('coming');
  rig.bridge.playHoldingSound();
}

test('I4: after a close no timer, no audio and no word is left, whatever is called', () => {
  const { rig, ear } = busy();
  expect(rig.bridge.quality().heldBytes).toBe(2 * blockBytes);
  rig.bridge.close();
  expect(rig.bridge.quality().heldBytes).toBe(0);
  const before = { told: rig.told.length, heard: ear.pieces.length, sent: rig.line.sent.length };
  const line = rig.line;
  rig.bridge.callerAudioGathered();
  useEverything(rig);
  expect(rig.clock.pendingTimers).toBe(0);
  rig.bridge.detachEar();
  rig.bridge.detachLine();
  rig.bridge.close();
  line.play(5_000);
  rig.pass(5_000);
  expect(rig.clock.pendingTimers).toBe(0);
  expect(rig.told).toHaveLength(before.told);
  expect(ear.pieces).toHaveLength(before.heard);
  expect(line.sent).toHaveLength(before.sent);
  expect(rig.line.sent).toEqual([]);
  expect(rig.bridge.quality().heldBytes).toBe(0);
  expect(rig.bridge.heardItems()).toEqual([]);
  expect(rig.bridge.interrupt()).toEqual([]);
});

/** The second item finds no room on a line that takes nothing. */
function overfill(rig: Rig): void {
  rig.line.isStalled = true;
  rig.reply('reply', 'full', 240_000);
  rig.reply('reply', 'cut', 8_000);
  rig.bridge.replyEnded('reply');
}

const provocations: Record<Told['told'], (rig: Rig) => void> = {
  voiced: (rig) => rig.reply('reply', 'item', 8_000),
  progressed: (rig) => {
    rig.reply('reply', 'item', 8_000);
    rig.bridge.replyEnded('reply');
    rig.pass(1_000);
  },
  cutShort: overfill,
  played: (rig) => rig.bridge.replyEnded('reply'),
  starved: (rig) => rig.pass(1_500),
  resumed: (rig) => {
    rig.pass(2_000);
    rig.speak(Buffer.alloc(160));
  },
  overflow: (rig) => {
    for (let count = 0; count < 1_000; count++) rig.speak(Buffer.alloc(160));
  },
};

test.each(Object.entries(provocations))(
  'a close from within the word "%s" is the last word',
  (last, provoke) => {
    const rig = new Rig();
    rig.attachLine();
    rig.react = ({ told }) => {
      if (told === last) rig.bridge.close();
    };
    provoke(rig);
    rig.reply('reply', 'item', 8_000);
    rig.pass(3_000);
    expect(rig.told.at(-1)?.told).toBe(last);
    expect(rig.clock.pendingTimers).toBe(0);
    expect(rig.bridge.quality().heldBytes).toBe(0);
  },
);

test('a close from within the progress of an item that was cut short is the last word', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.react = ({ told }) => {
    if (told === 'progressed') rig.bridge.close();
  };
  overfill(rig);
  expect(rig.told.at(-1)?.told).toBe('progressed');
});

test('a close while an overlong reply is cut leaves nothing', () => {
  const rig = new Rig({ replyQueueMs: 500 });
  rig.react = () => rig.bridge.close();
  rig.reply('reply', 'item', 8_000);
  rig.reply('reply', 'item', 800);
  expect(rig.told).toEqual([{ told: 'overflow', kind: 'reply' }]);
  expect(rig.bridge.quality().heldBytes).toBe(0);
});

test('a line that breaks while it is sent to gets no mark, and the bridge goes on with the next', () => {
  const rig = new Rig();
  const marks: string[] = [];
  rig.bridge.attachLine({
    sendAudio: () => rig.bridge.detachLine(),
    sendMark: (name) => marks.push(name),
    clear: () => {},
    bufferedBytes: () => 0,
  });
  rig.reply('reply', 'item', 8_000);
  expect(marks).toEqual([]);
  rig.attachLine();
  rig.reply('next', 'next', 1_600);
  expect(rig.line.sent).toEqual([1_600, '2:1600']);
});
