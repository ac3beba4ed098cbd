/**
 * Owns: the sound of a call from the browser: a source (microphone, tone or file) as frames, and a loudspeaker.
 * Does not own: the audio thread (`worklet.ts`), where frames go.
 */
import type { SpeakerOrder } from './play-out.ts';

export type Source = { kind: 'microphone' } | { kind: 'tone' } | { kind: 'file'; file: File };

const toneHz = 440;
const toneLevel = 0.2;
/** A tone that never pauses would be one endless turn. */
const tonePatternS = { on: 1.5, every: 6, times: 200 };

export class Audio {
  readonly #context: AudioContext;
  readonly #microphone: AudioWorkletNode;
  readonly #speaker: AudioWorkletNode;
  readonly #release: () => void;
  onFrame: (frame: Uint8Array) => void = () => undefined;
  onMark: (name: string) => void = () => undefined;

  private constructor(context: AudioContext, source: AudioNode, release: () => void) {
    this.#context = context;
    this.#release = release;
    this.#microphone = new AudioWorkletNode(context, 'microphone', { numberOfOutputs: 1 });
    this.#speaker = new AudioWorkletNode(context, 'speaker', { outputChannelCount: [1] });
    this.#microphone.port.onmessage = ({ data }: MessageEvent<Uint8Array>) => this.onFrame(data);
    this.#speaker.port.onmessage = ({ data }: MessageEvent<string>) => this.onMark(data);
    source.connect(this.#microphone);
    // What is not connected to the end is not run. The processor gives silence.
    this.#microphone.connect(context.destination);
    this.#speaker.connect(context.destination);
  }

  /** @throws DOMException where there is no microphone, or it may not be used */
  static async open(source: Source): Promise<Audio> {
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule('/console/try/worklet.js');
      const { node, release } = await sourceNode(context, source);
      await context.resume();
      return new Audio(context, node, release);
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  order(order: SpeakerOrder): void {
    this.#speaker.port.postMessage(order);
  }

  async close(): Promise<void> {
    this.onFrame = () => undefined;
    this.#release();
    await this.#context.close();
  }
}

interface Sounding {
  node: AudioNode;
  release(): void;
}

async function sourceNode(context: AudioContext, source: Source): Promise<Sounding> {
  if (source.kind === 'tone') return tone(context);
  if (source.kind === 'file') return fileNode(context, source.file);
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 },
  });
  const release = (): void => {
    for (const track of stream.getTracks()) track.stop();
  };
  return { node: context.createMediaStreamSource(stream), release };
}

function tone(context: AudioContext): Sounding {
  const oscillator = new OscillatorNode(context, { frequency: toneHz });
  const gain = new GainNode(context, { gain: 0 });
  for (let time = 0; time < tonePatternS.times; time++) {
    const from = context.currentTime + time * tonePatternS.every + 1;
    gain.gain.setValueAtTime(toneLevel, from);
    gain.gain.setValueAtTime(0, from + tonePatternS.on);
  }
  oscillator.connect(gain);
  oscillator.start();
  return { node: gain, release: () => oscillator.stop() };
}

async function fileNode(context: AudioContext, file: File): Promise<Sounding> {
  const buffer = await context.decodeAudioData(await file.arrayBuffer());
  const node = new AudioBufferSourceNode(context, { buffer });
  node.start(context.currentTime + 1);
  return { node, release: () => node.stop() };
}
