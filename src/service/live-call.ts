/**
 * Owns: everything of one call that lives in this process and not in its log: bridge, model session, lines, running
 * tools, transcript. It performs the call's commands and turns what happens into signals.
 * Does not own: what is decided (the call chart), how the far sides are spoken to (the adapters).
 *
 * Invariants:
 * I4. After `dispose` no socket, timer, tool or listener of the call is left here. A line whose stream is not admitted
 *     yet is its stream's to close.
 * V1. What comes from a session or line that was replaced is dropped.
 * V2. The bridge never plays to a line that has ended: a reply would be lost there instead of waiting for the next.
 */

import type { ToolOutcome } from '../agent/tool-runner.ts';
import type { Command, CommandOf, CommandType } from '../machines/commands.ts';
import type { EntryOf } from '../machines/entries.ts';
import { Bridge, type BridgeListener } from '../media/bridge.ts';
import type { Call, ObservedStep } from '../runtime/call.ts';
import type { Conversation } from '../runtime/conversation.ts';
import type { CarrierControl, Line, LineListener } from '../runtime/ports/carrier.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { GiveUpError } from '../runtime/ports/errors.ts';
import type { Model, ModelListener, ModelSession } from '../runtime/ports/model.ts';
import { referTo, type Signal } from '../runtime/ports/signal.ts';
import type { CallAgent } from './call-agent.ts';

export interface LiveCallPorts {
  clock: Clock;
  model: Model;
  control: CarrierControl;
}

interface OpenSession {
  generation: number;
  session: ModelSession;
}

/** Told to the model of a tool whose request can no longer be read: it was erased, or lies too far back. */
const requestLost = 'What was asked for is not known any more, nor whether it was done. Ask the caller.';

type Handlers = { [Type in CommandType]: (params: CommandOf<Type>['params'], key: string) => void };

export class LiveCall {
  readonly agent: CallAgent;
  readonly #ports: LiveCallPorts;
  readonly #bridge: Bridge;
  readonly #conversation: Conversation;
  readonly #lines = new Map<string, { line: Line; admitted: boolean }>();
  readonly #toolCalls = new AbortController();
  /** Where in the caller's audio each of the caller's turns ended, until it has an answer. */
  readonly #turnEnds = new Map<string, number>();
  #seq: number;
  #call: Call | null = null;
  #open: OpenSession | null = null;
  /** The line that the bridge plays to. */
  #joined: Line | null = null;
  #disposed = false;

  /** @param seq the last entry that `conversation` holds; 0 for a call that begins */
  constructor(agent: CallAgent, ports: LiveCallPorts, conversation: Conversation, seq: number) {
    this.agent = agent;
    this.#ports = ports;
    this.#conversation = conversation;
    this.#seq = seq;
    this.#bridge = new Bridge(ports.clock, this.#bridgeListener());
  }

  get conversation(): Conversation {
    return this.#conversation;
  }

  get bridge(): Bridge {
    return this.#bridge;
  }

  /** Sockets of the call that are open here. */
  get openSockets(): number {
    return this.#lines.size + (this.#open ? 1 : 0);
  }

  /** The last entry that these parts know of. */
  get seq(): number {
    return this.#seq;
  }

  /** A stream of the call is being admitted. Its audio flows once the chart has joined it. */
  enter(line: Line): void {
    this.#lines.set(line.streamId, { line, admitted: false });
  }

  /** The stream was admitted: from now on its line ends with the call. */
  admit(line: Line): LineListener {
    this.#lines.set(line.streamId, { line, admitted: true });
    return {
      onAudio: (payloadBase64, timestampMs) => {
        if (this.#joined === line) this.#bridge.callerAudio(payloadBase64, timestampMs);
      },
      onMark: (name) => {
        if (this.#joined === line) this.#bridge.markEchoed(name);
      },
      onSignal: (signal) => this.#fromLine(line, signal),
    };
  }

  observe({ call, entry, payloads }: ObservedStep): void {
    this.#call = call;
    this.#seq = entry.seq;
    this.#conversation.apply(entry, payloads);
    if (entry.type === 'caller.stoppedSpeaking') {
      this.#turnEnds.set(entry.itemId, this.#bridge.callerPosition);
    } else if (entry.type === 'caller.transcribed' && entry.transcript) {
      this.#answeredUpTo(this.#turnEnds.get(entry.itemId));
    } else if (entry.type === 'reply.voiced') {
      this.#answeredUpTo(Math.max(0, ...this.#turnEnds.values()));
    }
  }

  perform(command: Command, key: string): void {
    const handle = this.#handlers[command.type] as (params: object, key: string) => void;
    handle(command.params, key);
  }

  dispose(): void {
    this.#disposed = true;
    this.#toolCalls.abort();
    this.#closeSession();
    this.#bridge.close();
    this.#joined = null;
    for (const { line, admitted } of this.#lines.values()) if (admitted) line.close();
    this.#lines.clear();
    this.#turnEnds.clear();
  }

  readonly #handlers: Handlers = {
    openModel: ({ generation }) => this.#openModel(generation),
    closeModel: ({ generation }) => {
      if (this.#open?.generation === generation) this.#open.session.close();
    },
    joinModel: ({ generation }) => {
      if (this.#open?.generation === generation) this.#bridge.attachEar(this.#open.session);
    },
    joinStream: ({ streamId }) => this.#joinStream(streamId),
    closeStream: ({ streamId }) => this.#closeStream(streamId),
    createReply: ({ purpose }) => this.#open?.session.createReply(this.agent.wordsFor(purpose)),
    interruptReply: () => this.#interruptReply(),
    runTool: ({ toolCallId }) => this.#runTool(toolCallId, 'run'),
    recoverTool: ({ toolCallId }) => this.#runTool(toolCallId, 'recover'),
    sendToolResult: ({ toolCallId }) => this.#sendToolResult(toolCallId),
    answerHangUp: ({ toolCallId, accepted }) =>
      this.#open?.session.sendToolResult(toolCallId, this.agent.hangUpAnswer(accepted)),
    askCarrier: () => void this.#askCarrier(),
    hangUp: () => void this.#hangUp(),
    concludeCall: ({ reason }) => this.#signal({ entry: { type: 'call.ended', reason } }),
  };

  #signal(signal: Signal): void {
    if (!this.#disposed) this.#call?.signal(signal);
  }

  #openModel(generation: number): void {
    this.#closeSession();
    const request = this.agent.modelRequest(generation, this.#conversation.history());
    const listener = this.#modelListener(generation);
    this.#open = { generation, session: this.#ports.model.open(request, listener) };
  }

  #closeSession(): void {
    const open = this.#open;
    this.#open = null;
    this.#bridge.detachEar();
    open?.session.close();
  }

  #modelListener(generation: number): ModelListener {
    const current = (): boolean => this.#open?.generation === generation;
    return {
      onSignal: (signal) => {
        if (!current()) return;
        if (signal.entry.type === 'model.closed') this.#loseSession();
        this.#signal(signal);
      },
      onReplyAudio: (replyId, itemId, audio) => {
        if (current()) this.#bridge.replyAudio(replyId, itemId, audio);
      },
      onReplyItemEnded: (itemId) => {
        if (current()) this.#bridge.replyItemEnded(itemId);
      },
      onReplyEnded: (replyId) => {
        if (current()) this.#bridge.replyEnded(replyId);
      },
    };
  }

  #loseSession(): void {
    this.#open = null;
    this.#bridge.detachEar();
    const { reply } = this.#context;
    if (reply?.active && reply.id) this.#bridge.replyEnded(reply.id);
  }

  get #context() {
    return this.#call?.state.snapshot.context ?? { reply: null, stream: null };
  }

  #joinStream(streamId: string): void {
    const entered = this.#lines.get(streamId);
    if (!entered) return;
    this.#joined = entered.line;
    this.#bridge.attachLine(entered.line);
    // The newest stream of a call wins.
    for (const [other, older] of this.#lines) if (other !== streamId) older.line.close();
  }

  #closeStream(streamId: string): void {
    const entered = this.#lines.get(streamId);
    if (!entered) return;
    this.#part(entered.line);
    entered.line.close();
  }

  #fromLine(line: Line, signal: Signal): void {
    if (signal.entry.type === 'stream.closed') {
      this.#lines.delete(line.streamId);
      this.#part(line);
    }
    this.#signal(signal);
  }

  /** V2. */
  #part(line: Line): void {
    if (this.#joined !== line) return;
    this.#joined = null;
    this.#bridge.detachLine();
  }

  #interruptReply(): void {
    const { reply } = this.#context;
    const coming = reply?.active && !reply.voiced && reply.id ? reply.id : undefined;
    this.#open?.session.cancelReply();
    const items = this.#bridge.interrupt(coming).map(({ itemId, receivedMs, playedMs }) => {
      this.#open?.session.truncate(itemId, playedMs);
      return { itemId, receivedMs, playedMs };
    });
    if (items.length > 0) this.#signal({ entry: { type: 'reply.interrupted', items } });
  }

  #bridgeListener(): BridgeListener {
    const streamId = (): string => this.#context.stream?.id ?? 'none';
    return {
      onVoiced: (replyId, itemId) => this.#signal({ entry: { type: 'reply.voiced', replyId, itemId } }),
      onProgressed: (itemId, { receivedMs, playedMs }) =>
        this.#signal({ entry: { type: 'reply.progressed', itemId, receivedMs, playedMs } }),
      onPlayed: (replyId) => this.#signal({ entry: { type: 'reply.played', replyId } }),
      onStarved: (silentMs) =>
        this.#signal({ entry: { type: 'media.starved', streamId: streamId(), silentMs } }),
      onResumed: () => this.#signal({ entry: { type: 'media.resumed', streamId: streamId() } }),
      onOverflow: (kind) =>
        this.#signal({
          entry: { type: 'input.refused', peer: kind === 'caller' ? 'model' : 'carrier', kind: 'overflow' },
        }),
    };
  }

  #answeredUpTo(position: number | undefined): void {
    if (position === undefined) return;
    this.#bridge.answeredUpTo(position);
    for (const [itemId, end] of this.#turnEnds) if (end <= position) this.#turnEnds.delete(itemId);
  }

  #runTool(toolCallId: string, way: 'run' | 'recover'): void {
    const requested = this.#conversation.lines.findLast(
      (line) => line.kind === 'toolCall' && line.toolCallId === toolCallId,
    );
    if (requested?.kind !== 'toolCall' || requested.arguments === null) {
      this.#finishTool(toolCallId, { outcome: 'unknown', result: requestLost });
      return;
    }
    const toolCall = { toolCallId, name: requested.name, arguments: requested.arguments };
    void this.agent[way](toolCall, this.#toolCalls.signal).then((outcome) =>
      this.#finishTool(toolCallId, outcome),
    );
  }

  #finishTool(toolCallId: string, { outcome, result }: ToolOutcome): void {
    const entry: Signal['entry'] = { type: 'tool.finished', toolCallId, outcome, result: referTo(result) };
    this.#signal({ entry, payloads: { result } });
  }

  #sendToolResult(toolCallId: string): void {
    const finished = this.#conversation.lines.findLast(
      (line) => line.kind === 'toolResult' && line.toolCallId === toolCallId,
    );
    if (finished?.kind === 'toolResult') {
      this.#open?.session.sendToolResult(toolCallId, finished.output ?? finished.outcome);
    }
  }

  async #askCarrier(): Promise<void> {
    try {
      const status = await this.#ports.control.fetchStatus(this.#carrierCallId);
      this.#signal({ entry: { type: 'carrier.reported', status, source: 'fetch' } });
    } catch (error) {
      this.#signal({ entry: { type: 'carrier.unreachable', cause: causeOf(error) } });
    }
  }

  async #hangUp(): Promise<void> {
    const outcome = await this.#ports.control.endCall(this.#carrierCallId).then(
      (): EntryOf<'hangUp.finished'>['outcome'] => 'completed',
      (error: unknown) => (error instanceof GiveUpError ? 'refused' : 'unreachable'),
    );
    this.#signal({ entry: { type: 'hangUp.finished', outcome } });
  }

  get #carrierCallId(): string {
    return this.#call?.row.carrierCallId ?? this.#call?.callId ?? '';
  }
}

const causeOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 200);
