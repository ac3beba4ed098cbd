/** Owns: a line in memory on which a caller and a scripted agent meet, frame by frame. */
import type { CallerEvent, LineControls, Party } from '../../../src/twin/caller/party.ts';
import { frameMs, silentFrame, type VoiceFrame } from '../../../src/twin/caller/voice.ts';

const loud = new Uint8Array(160).fill(0x20);

export class Line {
  readonly events: CallerEvent[] = [];
  readonly pressed: string[] = [];
  readonly said: VoiceFrame[] = [];
  hungUpAt: number | null = null;
  at = 0;

  /** Everything that the caller reports. */
  readonly listener = (event: CallerEvent): void => {
    this.events.push(event);
  };

  join(party: Party): void {
    const controls: LineControls = {
      press: (digit) => this.pressed.push(digit),
      hangUp: () => {
        this.hungUpAt = this.at;
      },
    };
    party.join(this.at, controls);
  }

  /** Lets time pass; `isAgentLoud` says, for each moment, whether the agent makes a sound. */
  run(party: Party, durationMs: number, isAgentLoud: (at: number) => boolean = () => false): void {
    for (const end = this.at + durationMs; this.at < end; ) {
      this.at += frameMs;
      this.said.push(party.speak(this.at));
      party.hear(this.at, isAgentLoud(this.at) ? loud : null);
    }
  }

  spokenFrames(): number {
    return this.said.filter((frame) => frame !== silentFrame).length;
  }
}

export const between =
  (from: number, to: number) =>
  (at: number): boolean =>
    at >= from && at < to;
