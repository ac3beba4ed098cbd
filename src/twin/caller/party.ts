/**
 * Owns: what a phone line asks of whoever is at its far end, and what it offers.
 * Does not own: the line (`twilio/call/phone-line.ts`), what the party does (`scripted-caller.ts`).
 */
import type { VoiceFrame } from './voice.ts';

/** What a party can do beside speaking. */
export interface LineControls {
  press(digit: string): void;
  hangUp(): void;
}

/** All times are milliseconds since the Unix epoch, exact to the frame. */
export interface Party {
  /** The call was answered: from now on the party is asked to speak and told what it hears, frame by frame. */
  join(at: number, controls: LineControls, frameMs?: number): void;
  /** What it says in the frame that ends at `at`. */
  speak(at: number): VoiceFrame;
  /** What it hears in the frame that begins at `at`: valid until it returns; null is silence. */
  hear(at: number, frame: Uint8Array | null): void;
}

/** What happens on a line, as the caller hears it. */
export type CallerEvent =
  | { event: 'callerSpoke'; at: number; name: string }
  | { event: 'callerStopped'; at: number; name: string }
  | { event: 'agentStarted'; at: number }
  /** `at` is where the sound ended, which is known a little later. */
  | { event: 'agentStopped'; at: number }
  | { event: 'callerPressed'; at: number; digits: string }
  | { event: 'callerHungUp'; at: number; why: 'script' | 'patience' };
