/**
 * Owns: the two ends of the line in the browser's audio thread: the microphone's frames, the loudspeaker's queue.
 * Does not own: what becomes of the frames (`carrier-stream.ts`).
 */
import { Framer, lineRate } from './framing.ts';
import { PlayOut, type SpeakerOrder } from './play-out.ts';

/** The audio thread's own globals (Web Audio API, AudioWorkletGlobalScope), which TypeScript does not declare. */
interface Processor {
  readonly port: MessagePort;
}
declare const AudioWorkletProcessor: new () => Processor;
declare const registerProcessor: (name: string, processor: new () => Processor) => void;
declare const sampleRate: number;

const silence = new Float32Array(128);

class Microphone extends AudioWorkletProcessor {
  readonly #framer = new Framer(sampleRate);

  /** Silence is sent as well: a line never pauses. */
  process([input]: Float32Array[][]): boolean {
    for (const frame of this.#framer.take(input?.[0] ?? silence)) this.port.postMessage(frame);
    return true;
  }
}

class Speaker extends AudioWorkletProcessor {
  readonly #playOut: PlayOut;
  readonly #step = lineRate / sampleRate;
  #phase = 0;
  #from = 0;
  #to = 0;

  constructor() {
    super();
    this.#playOut = new PlayOut((name) => this.port.postMessage(name));
    this.port.onmessage = ({ data }: MessageEvent<SpeakerOrder>) => this.#obey(data);
  }

  #obey(order: SpeakerOrder): void {
    if (order.do === 'play') this.#playOut.add(order.bytes);
    else if (order.do === 'mark') this.#playOut.mark(order.name);
    else this.#playOut.clear();
  }

  process(_: Float32Array[][], [output]: Float32Array[][]): boolean {
    const samples = output?.[0];
    if (!samples) return true;
    for (let index = 0; index < samples.length; index++) {
      this.#phase += this.#step;
      if (this.#phase >= 1) {
        this.#phase -= 1;
        this.#from = this.#to;
        this.#to = this.#playOut.next();
      }
      samples[index] = this.#from + (this.#to - this.#from) * this.#phase;
    }
    return true;
  }
}

registerProcessor('microphone', Microphone);
registerProcessor('speaker', Speaker);
