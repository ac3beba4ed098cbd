import { describe, expect, it } from 'vitest';
import { audioOf, openSession } from './started-session.ts';

const of = { response_id: 'resp_1', item_id: 'item_A' };
const argumentsDelta = {
  type: 'response.function_call_arguments.delta',
  ...of,
  call_id: 'call_1',
  delta: '{',
};
const textDelta = { type: 'response.output_text.delta', ...of, delta: 'I' };
const transcriptDelta = { type: 'response.output_audio_transcript.delta', ...of, delta: 'I' };

/** A reply has begun. The far side says the event every so often, and so many times. */
function started() {
  const session = openSession();
  session.service.startReply();
  const says = async (event: object, times: number, everyMs = 100): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await session.clock.advance(everyMs);
      session.service.say(event);
    }
  };
  return { ...session, says };
}

describe('a reply that is being written and has no sound', () => {
  it.each([argumentsDelta, textDelta, transcriptDelta])(
    'is told of every two seconds: $type',
    async (event) => {
      const { ear, says } = started();
      await says(event, 19);
      expect(ear.order).toEqual(['reply.started']);
      await says(event, 81);
      expect(ear.entriesOf('reply.extended')).toEqual(
        Array(5).fill({ type: 'reply.extended', replyId: 'resp_1' }),
      );
      expect(ear.order).toHaveLength(6);
    },
  );

  it('is told of as it goes on after a pause', async () => {
    const { ear, says } = started();
    await says(argumentsDelta, 3, 3_000);
    expect(ear.entriesOf('reply.extended')).toHaveLength(3);
  });

  it('is told of for a minute and a half without a sound, and no longer', async () => {
    const { ear, says, service } = started();
    await says(argumentsDelta, 300, 1_000);
    expect(ear.entriesOf('reply.extended')).toHaveLength(45);
    service.sayAudio(audioOf(800));
    await says(argumentsDelta, 3, 1_000);
    expect(ear.entriesOf('reply.extended')).toHaveLength(46);
  });

  it('is not told of while it sounds, and is again two seconds after its last sound', async () => {
    const { service, ear, says } = started();
    for (let second = 0; second < 5; second++) {
      service.sayAudio(audioOf(800));
      await says(transcriptDelta, 10);
    }
    expect(ear.entriesOf('reply.extended')).toEqual([]);
    await says({ ...argumentsDelta, item_id: 'item_B' }, 10);
    expect(ear.entriesOf('reply.extended')).toHaveLength(1);
  });

  it('takes no place among the items that may be cut', async () => {
    const { ear, oddities, service, says } = started();
    service.sayAudio(audioOf(800));
    for (let item = 0; item < 300; item++) await says({ ...argumentsDelta, item_id: `item_${item}` }, 1, 1);
    service.say({ type: 'response.output_audio.done', ...of });
    expect(oddities).toEqual([]);
    expect(ear.order.at(-1)).toBe('itemEnded');
  });

  it('is told of no more once it is over, and one that nobody knows never', async () => {
    const { ear, service, says } = started();
    await says({ ...argumentsDelta, response_id: 'resp_2' }, 30);
    service.finishReply();
    await says(argumentsDelta, 30);
    expect(ear.entriesOf('reply.extended')).toEqual([]);
  });
});
