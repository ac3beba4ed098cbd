/**
 * Owns: the sound that stands for Twilio's own voice: a tone that a caller can hear and a test can recognise.
 * Does not own: the words, which are in the call's events.
 */
import { encodeMulaw, frameBytes } from '../../../media/mulaw.ts';

const frequencyHz = 400;
const amplitude = 6_000;

/** 20 ms of it; eight whole periods, so that frames join without a click. */
export const announcementFrame: Uint8Array = Uint8Array.from({ length: frameBytes }, (_, index) =>
  encodeMulaw(Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * index) / 8_000))),
);

const charactersPerSecond = 15;

/** About as long as a voice needs for the text. */
export const speakingMs = (text: string): number => Math.ceil((text.length * 1_000) / charactersPerSecond);
