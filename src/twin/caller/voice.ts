/**
 * Owns: what a caller says, cut into the 20 ms frames in which a line carries it, ready to be sent.
 * Does not own: where the bytes come from (`speech.ts`), when they are said (`scripted-caller.ts`).
 */
import { frameBytes, silenceByte } from '../../media/mulaw.ts';

/** 20 ms. `payload` is the bytes in base64, made once: a frame is sent many times. */
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

/** What a line carries while nobody speaks. Compared by identity: there is one. */
export const silentFrame: VoiceFrame = makeFrame(new Uint8Array(frameBytes).fill(silenceByte));

/** Cuts G.711 mu-law into frames; the last one is filled up with silence. */
export function cutClip(name: string, audio: Uint8Array): Clip {
  const frames: VoiceFrame[] = [];
  for (let start = 0; start < audio.length; start += frameBytes) {
    const bytes = new Uint8Array(frameBytes).fill(silenceByte);
    bytes.set(audio.subarray(start, start + frameBytes));
    frames.push(makeFrame(bytes));
  }
  return { name, frames, durationMs: frames.length * frameMs };
}
