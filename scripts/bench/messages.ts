/**
 * Owns: what the messages of the audio path cost without sockets: reading a frame and writing it on, reading a delta and
 * writing it on.
 * Does not own: the bridge between them (`bench-media.ts`).
 */

import { appendMessage } from '../../src/adapters/openai/audio-append.ts';
import { readServerEvent } from '../../src/adapters/openai/server-events.ts';
import { MessageWriter, readMessage } from '../../src/adapters/twilio/media-message.ts';
import { spreadOf } from './comparison.ts';

const rounds = 9;
const times = 50_000;
const streamSid = `MZ${'0'.repeat(32)}`;

/** None is like the one before it: what is known of the last message helps nobody. */
const frames = Array.from({ length: 64 }, (_, index) => {
  const payload = Buffer.alloc(160, index + 1).toString('base64');
  return `{"event":"media","sequenceNumber":"${index + 2}","media":{"track":"inbound","chunk":"${index + 1}","timestamp":"${index * 20}","payload":"${payload}"},"streamSid":"${streamSid}"}`;
});
const pairs = Array.from({ length: 64 }, (_, index) => Buffer.alloc(320, index + 1));
const deltas = Array.from(
  { length: 64 },
  (_, index) =>
    `{"type":"response.output_audio.delta","event_id":"event_${index}","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"delta":"${Buffer.alloc(2_000, index + 1).toString('base64')}"}`,
);
const pieces = Array.from({ length: 64 }, (_, index) => Buffer.alloc(1_600, index + 1));
const writer = new MessageWriter(streamSid);

let kept: unknown;

const of =
  <Item>(items: readonly Item[], work: (item: Item) => unknown) =>
  (): void => {
    for (let index = 0; index < times; index++) kept = work(items[index & 63] as Item);
  };

function nanosecondsOf(work: () => void): number {
  work();
  return spreadOf(
    Array.from({ length: rounds }, () => {
      const startMs = performance.now();
      work();
      return ((performance.now() - startMs) * 1e6) / times;
    }),
  ).median;
}

const benches: readonly [string, () => void][] = [
  ['read a frame', of(frames, readMessage)],
  ['write two frames for the model', of(pairs, appendMessage)],
  ['read a delta of 250 ms', of(deltas, readServerEvent)],
  ['write 200 ms for the caller', of(pieces, (piece) => writer.media(piece))],
  ['JSON.parse of a frame, to compare', of(frames, (text) => JSON.parse(text))],
  ['JSON.parse of a delta, to compare', of(deltas, (text) => JSON.parse(text))],
];

for (const [name, work] of benches) {
  console.log(`${name.padEnd(44)} ${nanosecondsOf(work).toFixed(0).padStart(8)} ns`);
}
if (kept === undefined) throw new Error('nothing was read');
