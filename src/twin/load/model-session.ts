/**
 * Owns: one session of the load model: settings, turns, replies, the answers to what a client asks.
 * Does not own: the caller's audio (`caller-audio.ts`), a reply's course (`model-reply.ts`).
 *
 * Where a caller speaks is said by the stamps, so the detection takes no time of its own: what is measured is what lies
 * between. Settings are those of the faithful twin.
 *
 * Source: OpenAI Realtime, client and server events; recorded turn with server turn detection.
 */
import { initialSettings, type SessionSettings, updateSettings } from '../openai/session/session-settings.ts';
import { appendHead, CallerAudio } from './caller-audio.ts';
import type { CallerPlan } from './caller-plan.ts';
import { FlightTimes } from './flight-times.ts';
import { beginsWith, type FrameSocket, type Message, textOf } from './frame-socket.ts';
import type { Measures } from './measures.ts';
import { ModelReply } from './model-reply.ts';

export interface SessionSurroundings {
  measures: Measures;
  random: () => number;
  upFlights: Map<number, FlightTimes>;
  downFlights: Map<number, FlightTimes>;
  /** What the caller of a call does; undefined where the call is not known. */
  planOf(owner: number): CallerPlan | undefined;
}

const prefixPaddingMs = 300;
const transcriptionDelayMs = 600;
const greetingMs = 2_500;
const usualDeltaMs = 250;
const keptDeltas = 1_024;

interface ClientEvent {
  type: string;
  audio?: string;
  session?: unknown;
  item?: { id?: string; [field: string]: unknown };
  item_id?: string;
  audio_end_ms?: number;
}

export class ModelSession {
  readonly #number: number;
  readonly #surroundings: SessionSurroundings;
  readonly #flights = new FlightTimes(keptDeltas);
  readonly #audio: CallerAudio;
  readonly #timers = new Set<NodeJS.Timeout>();
  #socket: FrameSocket | null = null;
  #settings: SessionSettings;
  #identifiers = 0;
  #plan: CallerPlan | undefined;
  #turnItemId = '';
  #lastItemId: string | null = null;
  #reply: ModelReply | null = null;

  constructor(number: number, surroundings: SessionSurroundings) {
    const { measures, upFlights, planOf } = surroundings;
    this.#number = number;
    this.#surroundings = surroundings;
    const expiresAt = Math.floor(Date.now() / 1_000) + 3_600;
    this.#settings = initialSettings(this.#identify('sess'), 'gpt-realtime-2.1', expiresAt);
    this.#audio = new CallerAudio(measures, upFlights, {
      onCaller: (owner) => {
        this.#plan = planOf(owner);
      },
      onSpeechStarted: (audioMs) => this.#later(this.#delayMs, () => this.#startTurn(audioMs)),
      onSpeechStopped: (audioMs) => this.#later(this.#delayMs, () => this.#endTurn(audioMs)),
    });
  }

  open(socket: FrameSocket): void {
    this.#socket = socket;
    this.#surroundings.downFlights.set(this.#number, this.#flights);
    this.#emit('session.created', `"session":${JSON.stringify(this.#settings)}`);
  }

  closed(): void {
    this.#reply?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#surroundings.downFlights.delete(this.#number);
  }

  take(message: Message): void {
    if (beginsWith(message, appendHead)) this.#audio.take(message);
    else this.#takeEvent(JSON.parse(textOf(message)) as ClientEvent);
  }

  get #delayMs(): number {
    return this.#plan?.delayMs ?? 0;
  }

  #startTurn(audioMs: number): void {
    this.#turnItemId = this.#identify('item');
    const startMs = Math.max(0, audioMs - prefixPaddingMs);
    this.#emit(
      'input_audio_buffer.speech_started',
      `"audio_start_ms":${startMs},"item_id":"${this.#turnItemId}"`,
    );
    this.#reply?.cancel('turn_detected');
  }

  #endTurn(audioMs: number): void {
    const itemId = this.#turnItemId;
    const previous = `"previous_item_id":${JSON.stringify(this.#lastItemId)}`;
    const item = userItem(itemId);
    this.#lastItemId = itemId;
    this.#emit('input_audio_buffer.speech_stopped', `"audio_end_ms":${audioMs},"item_id":"${itemId}"`);
    this.#emit('input_audio_buffer.committed', `${previous},"item_id":"${itemId}"`);
    this.#emit('conversation.item.added', `${previous},"item":${item}`);
    this.#emit('conversation.item.done', `${previous},"item":${item}`);
    if (this.#reply === null) this.#startReply(this.#plan?.replyMs ?? greetingMs);
    this.#later(transcriptionDelayMs, () => this.#transcribe(itemId));
  }

  #transcribe(itemId: string): void {
    const place = `"item_id":"${itemId}","content_index":0`;
    for (const word of ['is', ' my', ' bicycle', ' ready', '?']) {
      this.#emit(
        'conversation.item.input_audio_transcription.delta',
        `${place},"delta":"${word}","obfuscation":"${'sOu3zwViFHdoYuRq'.slice(word.length)}"`,
      );
    }
    this.#emit(
      'conversation.item.input_audio_transcription.completed',
      `${place},"transcript":"is my bicycle ready?","usage":{"type":"duration","seconds":3}`,
    );
  }

  #startReply(replyMs: number): void {
    const names = {
      responseId: this.#identify('resp'),
      itemId: this.#identify('item'),
      conversationId: `conv_${this.#settings.id.slice('sess_'.length)}`,
      previousItemId: this.#lastItemId,
    };
    this.#lastItemId = names.itemId;
    this.#reply = new ModelReply(replyMs, this.#plan?.deltaMs ?? usualDeltaMs, names, {
      emit: (type, fields) => this.#emit(type, fields),
      flights: this.#flights,
      owner: this.#number,
      random: this.#surroundings.random,
      onDone: () => {
        this.#reply = null;
      },
    });
  }

  #takeEvent(event: ClientEvent): void {
    const itemId = `"item_id":${JSON.stringify(event.item_id)}`;
    if (event.type === 'session.update') this.#update(event.session);
    else if (event.type === 'input_audio_buffer.append') this.#audio.takeAudio(event.audio ?? '');
    else if (event.type === 'conversation.item.create') this.#create(event.item ?? {});
    else if (event.type === 'conversation.item.truncate')
      this.#emit(
        'conversation.item.truncated',
        `${itemId},"content_index":0,"audio_end_ms":${event.audio_end_ms}`,
      );
    else if (event.type === 'conversation.item.delete') this.#emit('conversation.item.deleted', itemId);
    else if (event.type === 'conversation.item.retrieve')
      this.#emit('conversation.item.retrieved', `"item":${userItem(event.item_id ?? '')}`);
    else if (event.type === 'response.create') this.#answer();
    else if (event.type === 'response.cancel') this.#reply?.cancel('client_cancelled');
    else this.#surroundings.measures.count(`error.modelMessage ${event.type}`);
  }

  #update(session: unknown): void {
    const result = updateSettings(this.#settings, session, false);
    if ('error' in result) {
      this.#surroundings.measures.count(`error.sessionUpdate ${result.error.message}`);
      this.#refuse(result.error);
      return;
    }
    this.#settings = result.settings;
    this.#audio.open(performance.now());
    this.#emit('session.updated', `"session":${JSON.stringify(this.#settings)}`);
  }

  #create(fields: { id?: string; [field: string]: unknown }): void {
    const item = { id: this.#identify('item'), status: 'completed', ...fields };
    const text = `"previous_item_id":${JSON.stringify(this.#lastItemId)},"item":${JSON.stringify(item)}`;
    this.#lastItemId = item.id;
    this.#emit('conversation.item.added', text);
    this.#emit('conversation.item.done', text);
  }

  #answer(): void {
    if (this.#reply === null) this.#startReply(greetingMs);
    else
      this.#refuse({
        type: 'invalid_request_error',
        code: 'conversation_already_has_active_response',
        message: 'Conversation already has an active response in progress.',
        param: null,
      });
  }

  #refuse(error: object): void {
    this.#emit('error', `"error":${JSON.stringify({ ...error, event_id: null })}`);
  }

  #later(delayMs: number, work: () => void): void {
    if (delayMs === 0) {
      work();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }

  #emit(type: string, fields: string): void {
    this.#socket?.sendText(`{"type":"${type}","event_id":"${this.#identify('event')}",${fields}}`);
  }

  /** As long as the service's own. */
  #identify(kind: string): string {
    return `${kind}_${`L${this.#number}x${++this.#identifiers}`.padStart(21, '0')}`;
  }
}

/** Of what was said nobody here keeps the words. */
const userItem = (id: string): string =>
  `{"id":${JSON.stringify(id)},"type":"message","status":"completed","role":"user","content":[{"type":"input_audio","transcript":null}]}`;
