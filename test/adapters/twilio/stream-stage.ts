/** Owns: a media stream on a socket in memory and a virtual clock. */
import { MediaStream } from '../../../src/adapters/twilio/media-stream.ts';
import { Tally } from '../../../src/adapters/twilio/tally.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { MemorySocket } from './memory-socket.ts';
import { RecordedDesk, RecordedListener } from './recorded-desk.ts';
import { connected, start } from './stream-messages.ts';

export class StreamStage {
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  readonly errors: unknown[] = [];
  readonly tally = new Tally(this.clock, (line, error) => {
    this.lines.push(line);
    if (error !== undefined) this.errors.push(error);
  });
  readonly desk = new RecordedDesk();
  readonly socket = new MemorySocket();
  readonly listener = new RecordedListener();
  readonly stream = new MediaStream(this.socket, this);

  constructor() {
    this.desk.admit = async () => this.listener;
    this.socket.onTerminated = () => this.stream.onClosed({ code: 1_006, reason: '' });
  }

  /** Plays messages at once and lets every promise settle. */
  async play(...messages: (string | Uint8Array)[]): Promise<void> {
    for (const message of messages) this.stream.receive(message);
    await this.clock.advance(0);
  }

  /** A stream that was admitted. */
  async open(): Promise<void> {
    await this.play(connected(), start());
  }

  get line() {
    const start = this.desk.starts[0];
    if (start === undefined) throw new Error('No stream has started.');
    return start.line;
  }
}
