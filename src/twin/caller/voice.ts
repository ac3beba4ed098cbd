/**
 * Owns: what a caller says, cut into the frames in which a line carries it, ready to be sent.
 * Does not own: where the bytes come from (`speech.ts`), when they are said (`scripted-caller.ts`).
 *
 * Twilio's frames are 20 ms. A simulation of many calls may take longer ones.
 */
import { bytesPerMs, silenceByte } from '../../media/mulaw.ts';

/** `payload` is the bytes in base64, made once: a frame is sent many times. */
export interface VoiceFrame {
  readonly bytes: Uint8Array;
  readonly payload: string;
}

export interface Clip {
  name: string;
  frames: readonly VoiceFrame[];
  durationMs: number;
}

export const frameMs = 20;

const makeFrame = (bytes: Uint8Array): VoiceFrame => ({
  bytes,
  payload: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
});

const silences = new Map<number, VoiceFrame>();

/** What a line carries while nobody speaks. Compared by identity: there is one of each length. */
export function silenceOf(lengthMs: number): VoiceFrame {
  const silence =
    silences.get(lengthMs) ?? makeFrame(new Uint8Array(lengthMs * bytesPerMs).fill(silenceByte));
  silences.set(lengthMs, silence);
  return silence;
}

export const silentFrame: VoiceFrame = silenceOf(frameMs);

/** Cuts G.711 mu-law into frames of a length; the last one is filled up with silence. */
export function cutClip(name: string, audio: Uint8Array, lengthMs = frameMs): Clip {
  const frameBytes = lengthMs * bytesPerMs;
  const frames: VoiceFrame[] = [];
  for (let start = 0; start < audio.length; start += frameBytes) {
    const bytes = new Uint8Array(frameBytes).fill(silenceByte);
    bytes.set(audio.subarray(start, start + frameBytes));
    frames.push(makeFrame(bytes));
  }
  return { name, frames, durationMs: frames.length * lengthMs };
}
