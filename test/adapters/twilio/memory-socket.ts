/** Owns: a socket without a network: it keeps what was sent, and ends when the test says so. */
import type { Socket } from '../../../src/runtime/ports/socket.ts';

export class MemorySocket implements Socket {
  readonly sent: string[] = [];
  pings = 0;
  buffered = 0;
  closes: { code: number; reason: string }[] = [];
  terminations = 0;
  /** What `gatherReads` was called with. */
  readonly gathered: number[] = [];
  gathers = true;
  /** Called by `terminate`, as a real socket reports 1006. */
  onTerminated: () => void = () => undefined;

  send(text: string): void {
    this.sent.push(text);
  }

  ping(): void {
    this.pings += 1;
  }

  close(code: number, reason = ''): void {
    this.closes.push({ code, reason });
  }

  terminate(): void {
    this.terminations += 1;
    this.onTerminated();
  }

  bufferedBytes(): number {
    return this.buffered;
  }

  gatherReads(leastBytes: number): boolean {
    this.gathered.push(leastBytes);
    return this.gathers;
  }
}
