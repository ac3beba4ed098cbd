/**
 * Owns: a session under test with everything around it: the fake service, a virtual clock, and all that the listener
 * heard, in order.
 */
import { createOpenAiModel, type OpenAiModelOptions } from '../../../src/adapters/openai/model.ts';
import type { Oddity } from '../../../src/adapters/openai/oddity.ts';
import type { Draft } from '../../../src/machines/entries.ts';
import { entryFault } from '../../../src/machines/entries.ts';
import type { ModelListener, ModelRequest, ModelSession } from '../../../src/runtime/ports/model.ts';
import type { Signal } from '../../../src/runtime/ports/signal.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { FakeService } from './fake-service.ts';

export const url = 'wss://service.test/v1/realtime';
export const apiKey = 'sk-test-0123456789abcdef';

export const weatherTool = {
  name: 'get_weather',
  description: 'Look up the weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  effect: 'none',
} as const;

export const plainRequest: ModelRequest = {
  callId: 'CA1',
  generation: 3,
  instructions: 'You answer the phone.',
  voice: 'marin',
  turnDetection: { type: 'server_vad', threshold: 0.6, prefixPaddingMs: 250, silenceMs: 420 },
  transcription: { model: 'gpt-realtime-whisper', language: 'en' },
  tools: [weatherTool, { ...weatherTool, name: 'book_table', effect: 'once' }],
  history: [],
  pingEveryMs: 10_000,
};

/** One thing that a listener heard. */
export type Heard =
  | { heard: 'signal'; signal: Signal }
  | { heard: 'audio'; replyId: string; itemId: string; audio: Buffer }
  | { heard: 'itemEnded'; itemId: string }
  | { heard: 'turnEnded'; itemId: string; audioMs: number | null }
  | { heard: 'replyEnded'; replyId: string };

export class Ear implements ModelListener {
  readonly heard: Heard[] = [];
  /** Called after each signal was noted. */
  react: (entry: Draft) => void = () => undefined;

  onSignal(signal: Signal): void {
    const entry = { ...signal.entry, seq: 1, at: 1 };
    const fault = entryFault(entry);
    if (fault !== null) throw new Error(`${signal.entry.type} is no entry: ${fault}`);
    this.heard.push({ heard: 'signal', signal });
    this.react(signal.entry);
  }

  onTurnEnded(itemId: string, audioMs: number | null): void {
    this.heard.push({ heard: 'turnEnded', itemId, audioMs });
  }

  onReplyAudio(replyId: string, itemId: string, audio: Buffer): void {
    this.heard.push({ heard: 'audio', replyId, itemId, audio });
  }

  onReplyItemEnded(itemId: string): void {
    this.heard.push({ heard: 'itemEnded', itemId });
  }

  onReplyEnded(replyId: string): void {
    this.heard.push({ heard: 'replyEnded', replyId });
  }

  get signals(): Signal[] {
    return this.heard.flatMap((one) => (one.heard === 'signal' ? [one.signal] : []));
  }

  get entries(): Draft[] {
    return this.signals.map(({ entry }) => entry);
  }

  entriesOf<Type extends Draft['type']>(type: Type): Extract<Draft, { type: Type }>[] {
    return this.entries.filter((entry) => entry.type === type) as Extract<Draft, { type: Type }>[];
  }

  payloadsOf(type: Draft['type']): Readonly<Record<string, string>>[] {
    return this.signals.flatMap(({ entry, payloads }) => (entry.type === type ? [payloads ?? {}] : []));
  }

  /** What was heard, in order: types of signals, and `audio`, `itemEnded`, `replyEnded`. */
  get order(): string[] {
    return this.heard.map((one) => (one.heard === 'signal' ? one.signal.entry.type : one.heard));
  }
}

export interface Started {
  clock: VirtualClock;
  service: FakeService;
  ear: Ear;
  oddities: Oddity[];
  session: ModelSession;
}

export function startSession(
  request: Partial<ModelRequest> = {},
  options: Partial<OpenAiModelOptions> = {},
): Started {
  const clock = new VirtualClock();
  const service = new FakeService();
  const ear = new Ear();
  const oddities: Oddity[] = [];
  const model = createOpenAiModel({
    url,
    model: 'gpt-realtime-2.1',
    apiKey,
    clock,
    random: () => 0.25,
    openSocket: service.openSocket,
    count: (oddity) => oddities.push(oddity),
    ...options,
  });
  const session = model.open({ ...plainRequest, ...request }, ear);
  return { clock, service, ear, oddities, session };
}

/** A session that has signalled `model.opened`; what was sent and heard until then is forgotten. */
export function openSession(
  request: Partial<ModelRequest> = {},
  options: Partial<OpenAiModelOptions> = {},
  prepare: (service: FakeService) => void = () => undefined,
): Started {
  const started = startSession(request, options);
  prepare(started.service);
  started.service.letIn();
  if (started.ear.entriesOf('model.opened').length !== 1) throw new Error('the session did not open');
  started.service.texts.length = 0;
  started.ear.heard.length = 0;
  return started;
}

/** `lengthMs` of mu-law. */
export const audioOf = (lengthMs: number, value = 0x55): Uint8Array =>
  new Uint8Array(lengthMs * 8).fill(value);
