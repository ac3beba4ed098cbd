/** A plain client of the offline Realtime service on a virtual clock, and the audio that its caller makes. */
import { encodeMulaw } from '../../../src/media/mulaw.ts';
import type { Socket, SocketClosure, SocketRefusal } from '../../../src/runtime/ports/socket.ts';
import type { Brain } from '../../../src/twin/openai/brain.ts';
import {
  connectInMemory,
  type InMemoryOptions,
  type InMemoryTwin,
} from '../../../src/twin/openai/memory-connection.ts';
import { scriptedBrain } from '../../../src/twin/openai/scripted-brain.ts';
import type { TwinSession } from '../../../src/twin/openai/twin-session.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import type { RealtimeError, RealtimeMessage } from '../../support/realtime-message.ts';

export const smallScript: Brain = scriptedBrain({
  greeting: {
    say: [
      { text: 'Welcome. ', lengthMs: 1_000 },
      { text: 'How can I help?', lengthMs: 1_000 },
    ],
  },
  turns: [
    {
      caller: 'What is the weather in London?',
      reply: {
        say: [
          { text: 'It is foggy and cold today. ', lengthMs: 2_000 },
          { text: 'Take a coat with you.', lengthMs: 2_000 },
        ],
      },
    },
    { caller: 'And tomorrow?', reply: { say: [{ text: 'Tomorrow the sun shines.', lengthMs: 1_600 }] } },
  ],
});

export class TestClient {
  readonly events: RealtimeMessage[] = [];
  readonly messages: (string | Uint8Array)[] = [];
  socket: Socket | null = null;
  refusal: SocketRefusal | null = null;
  closures: SocketClosure[] = [];
  pongs = 0;

  send(event: object): void {
    this.socket?.send(JSON.stringify(event));
  }

  /** Appends µ-law in pieces of 20 ms, all at once. */
  append(audio: Uint8Array, pieceBytes = 160): void {
    for (let start = 0; start < audio.byteLength; start += pieceBytes) {
      const piece = Buffer.from(audio.subarray(start, start + pieceBytes));
      this.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') });
    }
  }

  of(type: string): RealtimeMessage[] {
    return this.events.filter((event) => event.type === type);
  }

  last(type: string): RealtimeMessage {
    const event = this.of(type).at(-1);
    if (event === undefined) throw new Error(`No ${type} came, only ${this.types().join(' ')}`);
    return event;
  }

  /** Types in order, repetitions of deltas folded into one. */
  types(from = 0): string[] {
    const types = this.events.slice(from).map(({ type }) => type);
    return types.filter((type, index) => !(type.endsWith('.delta') && types[index - 1] === type));
  }

  get errors(): RealtimeError[] {
    return this.of('error').map(({ error }) => error);
  }

  /** The audio of all deltas, in order. */
  get heard(): Uint8Array {
    return Buffer.concat(
      this.of('response.output_audio.delta').map(({ delta }) => Buffer.from(delta, 'base64')),
    );
  }
}

export interface World {
  clock: VirtualClock;
  twin: InMemoryTwin;
  client: TestClient;
  /** The first session. */
  session: TwinSession;
}

export type WorldOptions = Partial<InMemoryOptions> & {
  model?: string;
  url?: string;
  headers?: Record<string, string>;
  handshakeTimeoutMs?: number;
  maxMessageBytes?: number;
};

/** Opens one more connection to a twin. */
export function open(twin: InMemoryTwin, options: WorldOptions = {}): TestClient {
  const client = new TestClient();
  const url = options.url ?? `ws://twin/v1/realtime?model=${options.model ?? 'gpt-realtime-2.1'}`;
  twin.openSocket(
    {
      url,
      headers: options.headers ?? { Authorization: 'Bearer test-key' },
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
      maxMessageBytes: options.maxMessageBytes ?? 1_000_000,
    },
    {
      onOpen: (socket) => {
        client.socket = socket;
      },
      onRefused: (refusal) => {
        client.refusal = refusal;
      },
      onMessage: (data) => {
        client.messages.push(data);
        if (typeof data !== 'string') return;
        try {
          client.events.push(JSON.parse(data));
        } catch {
          // A test about malformed messages looks at `messages`.
        }
      },
      onClose: (closure) => client.closures.push(closure),
      onPong: () => {
        client.pongs += 1;
      },
    },
  );
  return client;
}

/** A twin in memory with one client, connected as far as it gets in 100 ms. */
export async function connect(options: WorldOptions = {}): Promise<World> {
  const clock = new VirtualClock();
  const twin = connectInMemory({ clock, brain: smallScript, ...options });
  const client = open(twin, options);
  await clock.advance(100);
  return { clock, twin, client, session: twin.sessions[0]! };
}

/** The session settings of a phone call: µ-law both ways, transcription, server VAD as given. */
export const phoneSettings = (turnDetection: object | null = { type: 'server_vad' }): object => ({
  type: 'session.update',
  session: {
    type: 'realtime',
    audio: {
      input: {
        format: { type: 'audio/pcmu' },
        transcription: { model: 'gpt-realtime-whisper' },
        turn_detection: turnDetection,
      },
      output: { format: { type: 'audio/pcmu' } },
    },
  },
});

/** A connected client whose session is configured for a phone. */
export async function connectPhone(
  options: WorldOptions = {},
  turnDetection?: object | null,
): Promise<World> {
  const world = await connect(options);
  world.client.send(phoneSettings(turnDetection));
  await world.clock.advance(10);
  return world;
}

export const bytesOfMs = (ms: number): number => ms * 8;

/** A voice of so many milliseconds in µ-law. */
export const voice = (ms: number, loudness = 6_000): Uint8Array =>
  Uint8Array.from({ length: bytesOfMs(ms) }, (_, index) =>
    encodeMulaw(Math.round(loudness * Math.sin((2 * Math.PI * 220 * index) / 8_000))),
  );

export const silence = (ms: number): Uint8Array => new Uint8Array(bytesOfMs(ms)).fill(0xff);

/** A whole turn of the caller: silence, voice, silence; appended at once. */
export function speak(client: TestClient, voiceMs = 1_000, silenceMs = 700): void {
  client.append(silence(320));
  client.append(voice(voiceMs));
  client.append(silence(silenceMs));
}
