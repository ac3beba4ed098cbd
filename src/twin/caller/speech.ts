/**
 * Owns: the recorded lines that scripted callers can say, by name.
 * Does not own: how they were made (`scripts/make-speech.sh`).
 *
 * Invariants:
 * E1. A line, or a list of bytes that a script gave, is cut once per process and kept as long as it is in use.
 */
import { readFileSync } from 'node:fs';
import { type Clip, cutClip } from './voice.ts';

export interface SpeechLine {
  name: string;
  text: string;
  durationMs: number;
}

const folder = new URL('./speech/', import.meta.url);
const clips = new Map<string, Clip>();
const clipsOfBytes = new WeakMap<Uint8Array, Clip>();
let lines: readonly SpeechLine[] | null = null;

/** All lines, in the order of the conversation that they make. */
export function listSpeech(): readonly SpeechLine[] {
  lines ??= JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as SpeechLine[];
  return lines;
}

/**
 * @param speech a line's name, or G.711 mu-law at 8 kHz
 * @throws Error for a name that is no line's
 */
export function findClip(speech: string | Uint8Array): Clip {
  return typeof speech === 'string' ? findLine(speech) : cutOnce(speech);
}

function findLine(name: string): Clip {
  const known = clips.get(name);
  if (known !== undefined) return known;
  if (!listSpeech().some((line) => line.name === name)) {
    const names = listSpeech().map((line) => line.name);
    throw new Error(`There is no speech "${name}": ${names.join(', ')}`);
  }
  const clip = cutClip(name, readFileSync(new URL(`${name}.ulaw`, folder)));
  clips.set(name, clip);
  return clip;
}

function cutOnce(audio: Uint8Array): Clip {
  const clip = clipsOfBytes.get(audio) ?? cutClip('bytes', audio);
  clipsOfBytes.set(audio, clip);
  return clip;
}
