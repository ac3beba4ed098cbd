/**
 * Owns: a Realtime service for tests that does nothing by itself: it records what it is sent and says what the test
 * tells it to, at once and in that order.
 * Does not own: being faithful (`src/twin/openai`).
 */
import type {
  OpeningHandlers,
  OpenSocket,
  Socket,
  SocketRefusal,
  SocketRequest,
} from '../../../src/runtime/ports/socket.ts';
import type { RealtimeMessage, RealtimeSession } from '../../support/realtime-message.ts';

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Adds the fields of one object to another, objects within field by field (OpenAI Realtime, `session.update`). */
function merge(into: Fields, from: Fields): Fields {
  const merged = { ...into };
  for (const [name, value] of Object.entries(from)) {
    const present = merged[name];
    merged[name] = isObject(value) ? merge(isObject(present) ? present : {}, value) : value;
  }
  return merged;
}

const emptyUpdate = JSON.stringify({ type: 'session.update', session: { type: 'realtime' } });

export class FakeService {
  readonly requests: SocketRequest[] = [];
  /** Everything that was sent, as text. */
  readonly texts: string[] = [];
  pings = 0;
  bufferedBytes = 0;
  closedWith: number | null = null;
  isTerminated = false;
  isGivenUp = false;
  /** Answer pings by itself. */
  answersPings = true;
  /** Updates that change nothing: they are not among the `texts`. */
  probes = 0;
  /** Confirm those by itself. */
  answersProbes = true;
  /** What opening a socket throws. */
  openingError: Error | null = null;
  #handlers: OpeningHandlers | null = null;
  #confirmed = 0;
  #acknowledged = 0;

  readonly openSocket: OpenSocket = (request, handlers) => {
    if (this.openingError) throw this.openingError;
    this.requests.push(request);
    this.#handlers = handlers;
    return () => {
      this.isGivenUp = true;
    };
  };

  get handlers(): OpeningHandlers {
    if (!this.#handlers) throw new Error('no socket was asked for');
    return this.#handlers;
  }

  get sent(): RealtimeMessage[] {
    return this.texts.map((text) => JSON.parse(text) as RealtimeMessage);
  }

  sentOfType(type: string): RealtimeMessage[] {
    return this.sent.filter((message) => message.type === type);
  }

  /** Types of what was sent, in order. */
  get sentTypes(): string[] {
    return this.sent.map(({ type }) => type);
  }

  accept(): void {
    const socket: Socket = {
      send: (text) => {
        if (text === emptyUpdate) this.#takeProbe();
        else this.texts.push(text);
      },
      ping: () => {
        this.pings++;
        if (this.answersPings) this.handlers.onPong?.();
      },
      close: (code) => {
        this.closedWith = code;
      },
      terminate: () => {
        this.isTerminated = true;
      },
      bufferedBytes: () => this.bufferedBytes,
    };
    this.handlers.onOpen(socket);
  }

  #takeProbe(): void {
    this.probes++;
    if (this.answersProbes && this.answersPings) this.say({ type: 'session.updated', session: {} });
  }

  refuse(refusal: Partial<SocketRefusal>): void {
    this.handlers.onRefused({ kind: 'http', status: null, retryAfterMs: null, detail: '', ...refusal });
  }

  say(event: object): void {
    this.sayRaw(JSON.stringify(event));
  }

  sayRaw(data: string | Uint8Array): void {
    this.handlers.onMessage(data);
  }

  close(code: number, reason = ''): void {
    this.handlers.onClose({ code, reason });
  }

  sayCreated(session: object = {}): void {
    this.say({ type: 'session.created', session: { id: 'sess_1', expires_at: 1_785_460_927, ...session } });
  }

  sayError(error: object): void {
    this.say({ type: 'error', error: { type: 'invalid_request_error', code: null, ...error } });
  }

  /** Confirms each `session.update` that was not confirmed yet, with what `spoil` makes of the settings. */
  confirmSettings(spoil: (settings: RealtimeSession) => void = () => undefined): void {
    const updates = this.sentOfType('session.update');
    let settings = {};
    updates.forEach(({ session }, index) => {
      settings = merge(settings, { ...session });
      if (index < this.#confirmed) return;
      const effective = structuredClone(settings);
      spoil(effective as RealtimeSession);
      this.say({ type: 'session.updated', session: effective });
    });
    this.#confirmed = updates.length;
  }

  /** Acknowledges each created item that was not acknowledged yet. */
  acknowledgeItems(): void {
    const items = this.sentOfType('conversation.item.create').map(({ item }) => item);
    for (const item of items.slice(this.#acknowledged)) {
      this.say({ type: 'conversation.item.added', item });
      this.say({ type: 'conversation.item.done', item });
    }
    this.#acknowledged = items.length;
  }

  /** Lets the session in, up to `model.opened`. */
  letIn(): void {
    this.accept();
    this.sayCreated();
    this.confirmSettings();
    this.acknowledgeItems();
  }

  startReply(replyId = 'resp_1', response: object = {}): void {
    this.say({
      type: 'response.created',
      response: { id: replyId, conversation_id: 'conv_1', status: 'in_progress', output: [], ...response },
    });
  }

  sayAudio(audio: Uint8Array, replyId = 'resp_1', itemId = 'item_A'): void {
    const delta = Buffer.from(audio).toString('base64');
    this.say({ type: 'response.output_audio.delta', response_id: replyId, item_id: itemId, delta });
  }

  finishReply(replyId = 'resp_1', response: object = {}): void {
    this.say({
      type: 'response.done',
      response: {
        id: replyId,
        conversation_id: 'conv_1',
        status: 'completed',
        status_details: null,
        output: [],
        usage: null,
        ...response,
      },
    });
  }
}
