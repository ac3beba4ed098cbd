/**
 * Owns: a call from the browser from beginning to end: it does as it is told, opens streams, and asks what to do when one
 * is over, as the carrier does.
 * Does not own: the messages of a stream (`carrier-stream.ts`), the sound (`audio.ts`).
 */
import type { BrowserInstruction } from '../../../runtime/ports/operator.ts';
import { server } from '../state/server.ts';
import { Audio, type Source } from './audio.ts';
import { CarrierStream, newStreamSid } from './carrier-stream.ts';

export type PhoneState = 'idle' | 'calling' | 'talking' | 'waiting' | 'over';

const mediaPath = '/api/browser-calls/media';
/** The carrier asks this long after a stream has ended. */
const askAfterMs = 300;
const askTries = 8;

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

export class Phone {
  readonly #changed: () => void;
  #audio: Audio | null = null;
  #stream: CarrierStream | null = null;
  #socket: WebSocket | null = null;
  state: PhoneState = 'idle';
  callId: string | null = null;
  /** Why the call is over. */
  because = '';
  /** Streams that have been opened. */
  streams = 0;
  frames = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  async call(source: Source): Promise<void> {
    this.#become('calling');
    this.callId = null;
    this.streams = 0;
    try {
      this.#audio = await Audio.open(source);
      this.#audio.onFrame = (frame) => this.#sendFrame(frame);
      this.#audio.onMark = (name) => this.#stream?.sendMark(name);
      await this.#follow(await server.callFromBrowser());
    } catch (error) {
      this.#end((error as Error).message);
    }
  }

  async hangUp(): Promise<void> {
    const { callId } = this;
    this.#end('You hung up.');
    if (callId) await server.leaveFromBrowser(callId).catch(() => undefined);
  }

  press(digit: string): void {
    this.#stream?.sendDigit(digit);
  }

  get #isOver(): boolean {
    return this.state === 'over';
  }

  async #follow(instruction: BrowserInstruction): Promise<void> {
    if (this.#isOver) return;
    this.callId = instruction.callId;
    if (instruction.do === 'end') return this.#end(instruction.because);
    if (this.state !== 'calling') this.#become('waiting');
    await pause(instruction.afterMs);
    if (this.#isOver) return;
    if (instruction.do === 'connect') this.#connect(instruction);
    else await this.#ask();
  }

  #connect({ callId, token }: BrowserInstruction & { do: 'connect' }): void {
    const address = new URL(mediaPath, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      const speaker = this.#audio?.order.bind(this.#audio) ?? (() => undefined);
      this.#stream = new CarrierStream(socket, {
        callSid: callId,
        streamSid: newStreamSid(),
        token,
        speaker,
      });
      this.streams++;
      this.#become('talking');
    });
    socket.addEventListener('message', ({ data }) => this.#stream?.take(String(data)));
    socket.addEventListener('close', () => this.#closed(socket));
  }

  #closed(socket: WebSocket): void {
    if (socket !== this.#socket || this.#isOver) return;
    this.#stream = null;
    this.#audio?.order({ do: 'clear' });
    this.#become('waiting');
    void pause(askAfterMs).then(() => this.#ask());
  }

  /** What now? Whichever process answers says it. */
  async #ask(tries = askTries): Promise<void> {
    const { callId } = this;
    if (callId === null || this.#isOver) return;
    const instruction = await server.continueFromBrowser(callId).catch((error: Error) => error);
    if (!(instruction instanceof Error)) return this.#follow(instruction);
    if (tries <= 1) return this.#end(instruction.message);
    await pause(1_000);
    return this.#ask(tries - 1);
  }

  #sendFrame(frame: Uint8Array): void {
    if (!this.#stream) return;
    this.frames++;
    this.#stream.sendFrame(frame);
  }

  #end(because: string): void {
    this.because = because;
    this.#stream?.stop();
    this.#stream = null;
    this.#socket?.close();
    this.#socket = null;
    void this.#audio?.close();
    this.#audio = null;
    this.#become('over');
  }

  #become(state: PhoneState): void {
    this.state = state;
    this.#changed();
  }
}
