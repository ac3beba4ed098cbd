/**
 * Owns: the sound of the offline model: a soft melody in which every 20 ms frame says which reply, which segment
 * and which frame it is, so that a test can read from the bytes that a caller heard what was said to them.
 * Does not own: the words (`brain.ts`), when the sound is sent (`response/response.ts`).
 *
 * A stamped frame is 160 bytes of µ-law: three bytes that no melody contains, thirteen octal digits and 144 bytes
 * of melody. All stamp bytes lie within 124 of zero on the 16-bit scale: next to nothing can be heard of them.
 *
 * Invariants:
 * S1. No rendered byte is silence (0xff or 0x7f): a reader drops all silence, wherever it was put in.
 * S2. The same reply, segment and length always give the same bytes.
 * S3. Notes are multiples of 50 Hz, so each frame holds whole periods and begins and ends at zero: no clicks.
 */
import { decodeMulaw, encodeMulaw, silenceByte } from '../../media/mulaw.ts';
import { encodeAlaw } from './audio/alaw.ts';
import type { AudioFormat } from './audio/audio-format.ts';

/** A piece of a reply that is told apart in the sound. */
export interface SegmentSound {
  /** 0 to 4,095. */
  reply: number;
  /** 0 to 511, within the reply. */
  segment: number;
  /** Rounded up to whole frames of 20 ms; at most 81,920. */
  lengthMs: number;
}

/** A run of one segment in what was heard, silence left out. */
export interface HeardSegment {
  reply: number;
  segment: number;
  /** Frame numbers in the order in which they were heard, repetitions included. A frame cut short counts. */
  frames: number[];
  /** Bytes equal to the rendered ones: 160 for each frame that came whole. */
  audioBytes: number;
}

export const frameMs = 20;
const frameBytes = 160;
const linearFrameBytes = 960;

const framesPerNote = 10;
const notesHz = [300, 350, 400, 450, 500, 600] as const;
const loudness = 2_500;

const syncBytes = Uint8Array.of(0x72, 0x7d, 0x74);
const stampDigits = { reply: 4, segment: 3, frame: 4, check: 2 } as const;
/** Of a segment. */
const mostFrames = 8 ** stampDigits.frame;
/** The largest prime of two octal digits: no single wrong digit goes unnoticed. */
const checkModulus = 61;
const stampBytes =
  syncBytes.length + stampDigits.reply + stampDigits.segment + stampDigits.frame + stampDigits.check;

/** Frames of 20 ms that a segment of this length takes. */
export const framesOf = (lengthMs: number): number => Math.max(1, Math.ceil(lengthMs / frameMs));

const silenceBytes = [silenceByte, silenceByte & 0x7f] as const;
const isSilence = (byte: number): boolean => (byte & 0x7f) === 0x7f;

/** The quietest neighbour of silence on the same side of zero (invariant S1). */
const audible = (byte: number): number => (isSilence(byte) ? byte - 1 : byte);

const toneSample = (noteHz: number, index: number, samplesPerSecond: number): number =>
  Math.round(loudness * Math.sin((2 * Math.PI * noteHz * index) / samplesPerSecond));

const mulawTones = notesHz.map((noteHz) =>
  Uint8Array.from({ length: frameBytes }, (_, index) =>
    audible(encodeMulaw(toneSample(noteHz, index, 8_000))),
  ),
);

const linearTones = notesHz.map((noteHz) => {
  const samples = Int16Array.from({ length: linearFrameBytes / 2 }, (_, index) =>
    toneSample(noteHz, index, 24_000),
  );
  return new Uint8Array(samples.buffer);
});

const mulawToAlaw = Uint8Array.from({ length: 256 }, (_, byte) => encodeAlaw(decodeMulaw(byte)));

function toneOf<Tone>(tones: readonly Tone[], reply: number, segment: number, frame: number): Tone {
  const note = Math.floor(frame / framesPerNote);
  return tones[(reply * 5 + segment * 3 + note * (1 + (segment % 2))) % tones.length] as Tone;
}

const digitByte = (digit: number): number => 0xf0 + 2 * digit;
const digitOf = (byte: number): number => (byte >= 0xf0 && byte % 2 === 0 ? (byte - 0xf0) / 2 : -1);

function writeNumber(target: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value;
  for (let index = digits - 1; index >= 0; index -= 1) {
    target[at + index] = digitByte(rest % 8);
    rest = Math.floor(rest / 8);
  }
  return at + digits;
}

/** The number, or -1 where a byte is no digit. */
function readNumber(source: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let index = 0; index < digits; index += 1) {
    const digit = digitOf(source[at + index] ?? 0);
    if (digit < 0) return -1;
    value = value * 8 + digit;
  }
  return value;
}

const checkOf = (reply: number, segment: number, frame: number): number =>
  (reply * 7 + segment * 13 + frame * 31 + 5) % checkModulus;

function writeStamp(target: Uint8Array, start: number, reply: number, segment: number, frame: number): void {
  target.set(syncBytes, start);
  let at = writeNumber(target, start + syncBytes.length, reply, stampDigits.reply);
  at = writeNumber(target, at, segment, stampDigits.segment);
  at = writeNumber(target, at, frame, stampDigits.frame);
  writeNumber(target, at, checkOf(reply, segment, frame), stampDigits.check);
}

interface Stamp {
  reply: number;
  segment: number;
  frame: number;
}

function readStamp(source: Uint8Array, start: number): Stamp | null {
  let at = start + syncBytes.length;
  const reply = readNumber(source, at, stampDigits.reply);
  at += stampDigits.reply;
  const segment = readNumber(source, at, stampDigits.segment);
  at += stampDigits.segment;
  const frame = readNumber(source, at, stampDigits.frame);
  const check = readNumber(source, at + stampDigits.frame, stampDigits.check);
  if (Math.min(reply, segment, frame) < 0 || check !== checkOf(reply, segment, frame)) return null;
  return { reply, segment, frame };
}

function requireRange(name: string, value: number, digits: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 8 ** digits) {
    throw new RangeError(`A segment's ${name} is a whole number from 0 to ${8 ** digits - 1}, not ${value}.`);
  }
}

/**
 * The sound of a segment in a session's output format. Only G.711 carries stamps; those of A-law are the µ-law
 * ones transcoded and are not read back.
 *
 * @throws RangeError where a number does not fit into a stamp
 */
export function renderSegment(sound: SegmentSound, format: AudioFormat): Uint8Array {
  const frames = framesOf(sound.lengthMs);
  requireRange('reply', sound.reply, stampDigits.reply);
  requireRange('number', sound.segment, stampDigits.segment);
  requireRange('last frame', frames - 1, stampDigits.frame);
  if (format.type === 'audio/pcm') return renderLinear(sound, frames);
  const audio = renderMulaw(sound, frames);
  return format.type === 'audio/pcmu' ? audio : audio.map((byte) => mulawToAlaw[byte] ?? 0);
}

function renderLinear({ reply, segment }: SegmentSound, frames: number): Uint8Array {
  const audio = new Uint8Array(frames * linearFrameBytes);
  for (let frame = 0; frame < frames; frame += 1) {
    audio.set(toneOf(linearTones, reply, segment, frame), frame * linearFrameBytes);
  }
  return audio;
}

function renderMulaw({ reply, segment }: SegmentSound, frames: number): Uint8Array {
  const audio = new Uint8Array(frames * frameBytes);
  for (let frame = 0; frame < frames; frame += 1)
    writeFrame(audio, frame * frameBytes, reply, segment, frame);
  return audio;
}

function writeFrame(target: Uint8Array, start: number, reply: number, segment: number, frame: number): void {
  target.set(toneOf(mulawTones, reply, segment, frame), start);
  writeStamp(target, start, reply, segment, frame);
}

/**
 * What the offline model is heard to say in a recording of µ-law, in order. Bytes that were not rendered here and
 * silence are passed over; it does not matter how the recording was cut and padded on its way.
 */
export function readSegments(mulaw: Uint8Array): HeardSegment[] {
  const sound = withoutSilence(mulaw);
  const heard: HeardSegment[] = [];
  let at = sound.indexOf(syncBytes);
  while (at >= 0) {
    const stamp = readStamp(sound, at);
    const audioBytes = stamp === null ? 0 : countRenderedBytes(sound, at, stamp);
    at += Math.max(audioBytes, syncBytes.length);
    if (stamp !== null) at = noteRun(noteFrame(heard, stamp, audioBytes), sound, at);
    at = sound.indexOf(syncBytes, at);
  }
  return heard;
}

/** Frames that are compared at once. */
const framesPerLook = 8;

/**
 * Notes the next frames of the segment as far as they follow whole, as they do as a rule: nothing of them has to be read.
 * @returns where they end
 */
function noteRun(run: HeardSegment, sound: Buffer, start: number): number {
  const { reply, segment, frames } = run;
  const next = { reply, segment, frame: (frames.at(-1) ?? 0) + 1 };
  let at = start;
  for (let count = framesAt(sound, at, next); count > 0; count = framesAt(sound, at, next)) {
    at += count * frameBytes;
    for (const end = next.frame + count; next.frame < end; next.frame += 1) frames.push(next.frame);
  }
  run.audioBytes += at - start;
  return at;
}

/** How many whole frames from this one on lie at the place, as far as is seen at a look; 0 where it is not there. */
function framesAt(sound: Buffer, start: number, stamp: Stamp): number {
  if (stamp.frame >= mostFrames) return 0;
  const isStart = stamp.frame % framesPerLook === 0;
  if (isStart && liesAt(sound, start, expectedFramesOf(stamp, framesPerLook))) return framesPerLook;
  return Number(liesAt(sound, start, expectedFramesOf(stamp, 1)));
}

const liesAt = (sound: Buffer, start: number, expected: Buffer): boolean =>
  start + expected.length <= sound.length && expected.compare(sound, start, start + expected.length) === 0;

const stretchBytes = 1_024;
const silence = Buffer.alloc(stretchBytes, silenceByte);

/** Whole stretches of silence are passed over at once, and whole runs of sound kept: there are hours of both. */
function withoutSilence(mulaw: Uint8Array): Buffer {
  const recording = Buffer.from(mulaw.buffer, mulaw.byteOffset, mulaw.length);
  const runs: Buffer[] = [];
  for (let at = endOfSilence(recording, 0); at < recording.length; ) {
    const end = endOfSound(recording, at);
    runs.push(recording.subarray(at, end));
    at = endOfSilence(recording, end);
  }
  return runs.length === 1 ? (runs[0] as Buffer) : Buffer.concat(runs);
}

function endOfSilence(recording: Buffer, start: number): number {
  let at = start;
  while (at < recording.length && isSilence(recording[at] as number)) {
    const end = Math.min(at + stretchBytes, recording.length);
    if (silence.compare(recording, at, end, 0, end - at) === 0) at = end;
    else while (at < end && isSilence(recording[at] as number)) at += 1;
  }
  return at;
}

function endOfSound(recording: Buffer, start: number): number {
  let end = recording.length;
  for (const byte of silenceBytes) {
    const found = recording.subarray(start, end).indexOf(byte);
    if (found >= 0) end = start + found;
  }
  return end;
}

/** @returns the run that the frame belongs to */
function noteFrame(
  heard: HeardSegment[],
  { reply, segment, frame }: Stamp,
  audioBytes: number,
): HeardSegment {
  const last = heard.at(-1);
  if (last !== undefined && last.reply === reply && last.segment === segment) {
    last.frames.push(frame);
    last.audioBytes += audioBytes;
    return last;
  }
  const run = { reply, segment, frames: [frame], audioBytes };
  heard.push(run);
  return run;
}

/** A recording is read more than once, and the same is said in many. */
const expectedFrames = new Map<number, Buffer>();
const mostExpectedFrames = 16_384;

function expectedFramesOf({ reply, segment, frame }: Stamp, count: number): Buffer {
  const key = ((reply * 512 + segment) * mostFrames + frame) * (framesPerLook + 1) + count;
  const known = expectedFrames.get(key);
  if (known) return known;
  const expected = Buffer.alloc(count * frameBytes);
  for (let index = 0; index < count; index += 1)
    writeFrame(expected, index * frameBytes, reply, segment, frame + index);
  if (expectedFrames.size >= mostExpectedFrames) expectedFrames.clear();
  expectedFrames.set(key, expected);
  return expected;
}

function countRenderedBytes(sound: Buffer, start: number, stamp: Stamp): number {
  const expectedFrame = expectedFramesOf(stamp, 1);
  if (liesAt(sound, start, expectedFrame)) return frameBytes;
  let count = stampBytes;
  while (count < frameBytes && sound[start + count] === expectedFrame[count]) count += 1;
  return count;
}
