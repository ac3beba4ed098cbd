/**
 * Properties over orders that no service would choose (L1 to L4), and over a service that answers late while it
 * creates replies by itself (Q1).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryItem } from '../../../src/runtime/ports/model.ts';
import type { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import type { RealtimeMessage } from '../../support/realtime-message.ts';
import type { FakeService } from './fake-service.ts';
import { audioOf, type Started, startSession } from './started-session.ts';

const replyIds = ['resp_1', 'resp_2', 'resp_3'] as const;
const itemIds = ['item_A', 'item_B', 'item_C'] as const;
const callIds = ['call_1', 'call_2', 'call_3', 'call_0'] as const;
const errorCodes = [
  'conversation_already_has_active_response',
  'response_cancel_not_active',
  'server_error',
  'item_not_found',
] as const;

const history: HistoryItem[] = [
  { kind: 'speech', role: 'caller', text: 'Hello?' },
  { kind: 'toolCall', toolCallId: 'call_0', name: 'get_weather', arguments: '{}' },
];

/** Something that happens to a session: a message of the service, or a word of the runtime. */
interface Step {
  name: string;
  do(started: Started): void;
}

const say = (name: string, event: object): Step => ({
  name,
  do: ({ service }) => service.say(event),
});

const replyStep = fc
  .tuple(fc.constantFrom(...replyIds), fc.constantFrom(...itemIds))
  .chain(([replyId, itemId]) => {
    const place = { response_id: replyId, item_id: itemId };
    const transcript = 'response.output_audio_transcript';
    return fc.constantFrom<Step>(
      { name: `start ${replyId}`, do: ({ service }) => service.startReply(replyId) },
      { name: `finish ${replyId}`, do: ({ service }) => service.finishReply(replyId) },
      {
        name: `audio ${replyId} ${itemId}`,
        do: ({ service }) => service.sayAudio(audioOf(20), replyId, itemId),
      },
      say(`audio done ${replyId} ${itemId}`, { type: 'response.output_audio.done', ...place }),
      say(`words ${replyId} ${itemId}`, { type: `${transcript}.delta`, ...place, delta: 'word ' }),
      say(`words done ${replyId} ${itemId}`, { type: `${transcript}.done`, ...place, transcript: 'word' }),
    );
  });

const callStep = fc
  .record({
    replyId: fc.constantFrom(...replyIds),
    callId: fc.constantFrom(...callIds),
    name: fc.constantFrom('get_weather', 'launch_rocket'),
    atEnd: fc.boolean(),
  })
  .map(({ replyId, callId, name, atEnd }): Step => {
    const item = { type: 'function_call', status: 'completed', call_id: callId, name, arguments: '{}' };
    return atEnd
      ? {
          name: `finish ${replyId} with ${callId}`,
          do: ({ service }) => service.finishReply(replyId, { output: [item] }),
        }
      : say(`${callId} in ${replyId}`, { type: 'response.output_item.done', response_id: replyId, item });
  });

const openingStep = fc.constantFrom<Step>(
  { name: 'created', do: ({ service }) => service.sayCreated() },
  { name: 'settings confirmed', do: ({ service }) => service.confirmSettings() },
  { name: 'items named', do: ({ service }) => service.acknowledgeItems() },
  say('other settings', { type: 'session.updated', session: {} }),
);

const turnStep = fc.constantFrom<Step>(
  say('speech started', { type: 'input_audio_buffer.speech_started', item_id: 'item_U' }),
  say('speech stopped', { type: 'input_audio_buffer.speech_stopped', item_id: 'item_U' }),
  ...errorCodes.map(
    (code): Step => ({ name: code, do: ({ service }) => service.sayError({ code, event_id: 'reply_1' }) }),
  ),
);

const runtimeStep = fc.constantFrom<Step>(
  { name: 'create', do: ({ session }) => session.createReply(null) },
  { name: 'create farewell', do: ({ session }) => session.createReply('Say goodbye.') },
  { name: 'cancel', do: ({ session }) => session.cancelReply() },
  { name: 'truncate', do: ({ session }) => session.truncate('item_A', 10) },
  { name: 'result', do: ({ session }) => session.sendToolResult('call_1', 'done') },
  { name: 'append', do: ({ session }) => session.appendAudio(Buffer.alloc(3, 0x55)) },
);

const endStep = fc.constantFrom<Step>(
  { name: 'close', do: ({ session }) => session.close() },
  { name: 'closed', do: ({ service }) => service.close(1006) },
  { name: 'stalled', do: ({ service }) => Object.assign(service, { bufferedBytes: 2_000_000 }) },
);

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: replyStep },
    { weight: 3, arbitrary: callStep },
    { weight: 2, arbitrary: turnStep },
    { weight: 3, arbitrary: runtimeStep },
    { weight: 1, arbitrary: openingStep },
  ),
  { maxLength: 80 },
);

/** Follows what the service says of its replies, as a client must, and checks each request against it (L4). */
function watchRequests(service: FakeService): void {
  let activeReplyId: string | null = null;
  const hear = service.handlers.onMessage.bind(service.handlers);
  service.handlers.onMessage = (data) => {
    const event = JSON.parse(String(data)) as RealtimeMessage;
    const isOver = event.type === 'response.done' && event.response.id === activeReplyId;
    if (event.type === 'response.created') activeReplyId = event.response.id;
    if (isOver) activeReplyId = null;
    hear(data);
  };
  const push = service.texts.push.bind(service.texts);
  service.texts.push = (text) => {
    if (JSON.parse(text).type === 'response.create') expect(activeReplyId).toBeNull();
    return push(text);
  };
}

function expectInvariants({ ear }: Started, wasOpened: boolean): void {
  const { order } = ear;
  expect(order.filter((type) => type === 'model.closed')).toHaveLength(1);
  expect(order.at(-1)).toBe('model.closed');
  expect(order.filter((type) => type === 'model.opened').length).toBe(wasOpened ? 1 : 0);
  const requested = ear.entriesOf('tool.requested').map(({ toolCallId }) => toolCallId);
  expect(new Set(requested).size).toBe(requested.length);
  const transcribed = ear.entriesOf('reply.transcribed').map(({ itemId }) => itemId);
  expect(new Set(transcribed).size).toBe(transcribed.length);
  const ended = new Set<string>();
  for (const one of ear.heard) {
    if (one.heard === 'audio') expect(ended).not.toContain(one.itemId);
    if (one.heard !== 'itemEnded') continue;
    expect(ended).not.toContain(one.itemId);
    ended.add(one.itemId);
  }
}

describe('under any order of events', () => {
  it('L1 to L4 hold, and nothing is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.option(endStep),
        fc.boolean(),
        fc.nat(5_000),
        async (script, end, isOpen, ms) => {
          const started = startSession({ history });
          const { clock, service, ear, session } = started;
          service.accept();
          watchRequests(service);
          let wasOpened = false;
          const checkOpening = (): void => {
            const isOpened = ear.entriesOf('model.opened').length > 0;
            if (isOpened && !wasOpened) {
              const named = service.sentOfType('conversation.item.create').length;
              expect(service.sentOfType('session.update')).toHaveLength(2);
              expect(named).toBeGreaterThanOrEqual(2);
            }
            wasOpened ||= isOpened;
          };
          if (isOpen) {
            service.sayCreated();
            service.confirmSettings();
            service.acknowledgeItems();
            checkOpening();
          }
          for (const step of script) {
            step.do(started);
            checkOpening();
          }
          await clock.advance(ms);
          end?.do(started);
          session.close();
          await clock.advance(1_000);
          expectInvariants(started, wasOpened);
          expect(ear.entriesOf('tool.requested').map(({ toolCallId }) => toolCallId)).not.toContain('call_0');
          expect(clock.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('a listener that closes at any moment hears no more', () => {
    fc.assert(
      fc.property(steps, fc.nat(20), (script, patience) => {
        const started = startSession();
        started.service.letIn();
        let left = patience;
        started.ear.react = () => {
          if (left-- === 0) started.session.close();
        };
        for (const step of script) step.do(started);
        started.session.close();
        expectInvariants(started, true);
      }),
    );
  });
});

/** A service with a way to it in both directions: one reply at a time, some of them begun by itself. */
class SlowService {
  readonly answered: string[] = [];
  readonly #fake: FakeService;
  readonly #clock: VirtualClock;
  readonly #delayMs: number;
  #activeReplyId: string | null = null;
  #replies = 0;

  constructor(fake: FakeService, clock: VirtualClock, delayMs: number) {
    this.#fake = fake;
    this.#clock = clock;
    this.#delayMs = delayMs;
    fake.texts.push = (text) => {
      clock.setTimeout(() => this.#take(JSON.parse(text)), delayMs);
      return 0;
    };
  }

  /** Begins a reply unless there is one. */
  begin(lengthMs: number): boolean {
    if (this.#activeReplyId !== null) return false;
    const replyId = `resp_${++this.#replies}`;
    this.#activeReplyId = replyId;
    this.#tell(() => this.#fake.startReply(replyId));
    this.#clock.setTimeout(() => {
      this.#activeReplyId = null;
      this.#tell(() => this.#fake.finishReply(replyId));
    }, lengthMs);
    return true;
  }

  #take({ type, event_id: eventId, response }: RealtimeMessage): void {
    if (type !== 'response.create') return;
    if (this.begin(700)) this.answered.push(response.instructions);
    else {
      const error = { code: 'conversation_already_has_active_response', event_id: eventId };
      this.#tell(() => this.#fake.sayError(error));
    }
  }

  #tell(message: () => void): void {
    this.#clock.setTimeout(message, this.#delayMs);
  }
}

describe('against a service that answers late and begins replies by itself', () => {
  it('every request is answered once (L4, Q1)', async () => {
    const moments = fc.array(fc.nat(6_000), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(moments, moments, fc.nat(1_500), async (asks, turns, delayMs) => {
        const { clock, service, session } = startSession();
        service.letIn();
        const slow = new SlowService(service, clock, delayMs);
        asks.forEach((at, index) => {
          clock.setTimeout(() => session.createReply(`request ${index}`), at);
        });
        for (const at of turns) clock.setTimeout(() => slow.begin(500), at);
        await clock.advance(60_000);
        expect(slow.answered.toSorted()).toEqual(asks.map((_, index) => `request ${index}`));
        session.close();
      }),
      { numRuns: 200 },
    );
  });
});
