/**
 * Owns: the recorded lines that scripted callers can say, by name.
 * Does not own: how they were made (`scripts/make-speech.sh`).
 *
 * Invariants:
 * E1. A line, or a list of bytes that a script gave, is cut once per process and length of frame, and kept as long as
 *     it is in use.
 */
import { readFileSync } from 'node:fs';
import { type Clip, cutClip, frameMs } from './voice.ts';

export interface SpeechLine {
  name: string;
  text: string;
  durationMs: number;
}

const folder = new URL('./speech/', import.meta.url);
const clips = new Map<string, Clip>();
const clipsOfBytes = new WeakMap<Uint8Array, Map<number, Clip>>();
let lines: readonly SpeechLine[] | null = null;

/** All lines, in the order of the conversation that they make. */
export function listSpeech(): readonly SpeechLine[] {
  lines ??= JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as SpeechLine[];
  return lines;
}

/**
 * @param speech a line's name, or G.711 mu-law at 8 kHz
 * @param lengthMs of a frame
 * @throws Error for a name that is no line's
 */
export function findClip(speech: string | Uint8Array, lengthMs = frameMs): Clip {
  return typeof speech === 'string' ? findLine(speech, lengthMs) : cutOnce(speech, lengthMs);
}

function findLine(name: string, lengthMs: number): Clip {
  const key = `${name}/${lengthMs}`;
  const known = clips.get(key);
  if (known !== undefined) return known;
  if (!listSpeech().some((line) => line.name === name)) {
    const names = listSpeech().map((line) => line.name);
    throw new Error(`There is no speech "${name}": ${names.join(', ')}`);
  }
  const clip = cutClip(name, readFileSync(new URL(`${name}.ulaw`, folder)), lengthMs);
  clips.set(key, clip);
  return clip;
}

function cutOnce(audio: Uint8Array, lengthMs: number): Clip {
  const ofBytes = clipsOfBytes.get(audio) ?? new Map<number, Clip>();
  const clip = ofBytes.get(lengthMs) ?? cutClip('bytes', audio, lengthMs);
  clipsOfBytes.set(audio, ofBytes.set(lengthMs, clip));
  return clip;
}
