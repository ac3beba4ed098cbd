/**
 * Owns: everything of one call that lives in this process and not in its log: bridge, model session, lines, running
 * tools, transcript. It performs the call's commands and turns what happens into signals.
 * Does not own: what is decided (the call chart), how the far sides are spoken to (the adapters).
 *
 * Invariants:
 * I4. After `dispose` no socket, timer, tool or listener of the call is left here, but for tools that are to be done once
 *     (`tool-calls.ts`). A line whose stream is not admitted yet is its stream's to close.
 * V1. What comes from a session or line that was replaced is dropped.
 * V2. The bridge never plays to a line that has ended: a reply would be lost there instead of waiting for the next.
 * V3. A stream that ends before it is admitted is no open line of the call from that moment on.
 */

import { isAnsweredByModel, isComplete } from '../machines/call/context.ts';
import type { Command, CommandOf, CommandType } from '../machines/commands.ts';
import { Bridge, type BridgeListener } from '../media/bridge.ts';
import type { Call, ObservedStep } from '../runtime/call.ts';
import type { Conversation } from '../runtime/conversation.ts';
import type { CarrierControl, Line, LineListener } from '../runtime/ports/carrier.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { Model } from '../runtime/ports/model.ts';
import type { Signal } from '../runtime/ports/signal.ts';
import type { CallState } from '../runtime/step.ts';
import type { CallAgent } from './call-agent.ts';
import type { SoundWatch } from './call-watch.ts';
import { CarrierRequests } from './carrier-requests.ts';
import { FrameSampler } from './frame-sampler.ts';
import type { Instructions } from './instructions.ts';
import { ModelSessions } from './model-sessions.ts';
import { Resumption } from './resumption.ts';
import { ToolCalls, type ToolRuns } from './tool-calls.ts';
import { TurnEnds } from './turn-ends.ts';
import { type Present, UnseededLines } from './unseeded-lines.ts';

export interface LiveCallPorts {
  clock: Clock;
  model: Model;
  control: CarrierControl;
  instructions: Instructions;
  watch: SoundWatch;
  runs: ToolRuns;
  /** The carrier was told by a request, and asks again after that. */
  onToldToWait(callId: string): unknown;
}

interface EnteredLine {
  line: Line;
  admitted: boolean;
  /** Of its end, before it was admitted. */
  told: Set<string>;
}

type Handlers = { [Type in CommandType]: (params: CommandOf<Type>['params'], key: string) => void };

function presentIn({ snapshot }: CallState): Present {
  const { model, reply } = snapshot.context;
  const isPlaying =
    isComplete(snapshot.context) &&
    snapshot.hasTag('streaming') &&
    snapshot.matches({ live: { turn: 'agentSpeaking' } });
  return {
    generation: model.sessionId === null ? null : model.generation,
    playedReplyId: isPlaying ? reply.id : null,
  };
}

export class LiveCall {
  readonly agent: CallAgent;
  readonly #bridge: Bridge;
  readonly #conversation: Conversation;
  readonly #sessions: ModelSessions;
  readonly #tools: ToolCalls;
  readonly #carrier: CarrierRequests;
  readonly #lines = new Map<string, EnteredLine>();
  /** Where in the caller's audio each of the caller's turns ended, until it has an answer. */
  readonly #turnEnds = new TurnEnds((replyId) => this.#conversation.heardMsOf(replyId));
  readonly #unseeded: UnseededLines;
  readonly #resumption: Resumption;
  readonly #watch: SoundWatch;
  readonly #callerFrames: FrameSampler;
  #seq: number;
  #call: Call | null = null;
  /** The line that the bridge plays to. */
  #joined: Line | null = null;
  #disposed = false;

  /** @param seq the last entry that `conversation` holds; 0 for a call that begins */
  constructor(agent: CallAgent, ports: LiveCallPorts, conversation: Conversation, seq: number) {
    this.agent = agent;
    this.#conversation = conversation;
    this.#unseeded = new UnseededLines(conversation);
    this.#resumption = new Resumption(conversation);
    const { clock, watch } = ports;
    this.#watch = watch;
    this.#callerFrames = new FrameSampler(clock, 50, (ms) => watch.bridged('caller', ms));
    this.#seq = seq;
    const signal = (signalled: Signal): void => this.#signal(signalled);
    const bridge = new Bridge(ports.clock, this.#bridgeListener());
    const activeReplyId = (): string | null => this.#activeReplyId;
    this.#bridge = bridge;
    this.#sessions = new ModelSessions({
      clock,
      model: ports.model,
      bridge,
      signal,
      agentFrames: new FrameSampler(clock, 5, (ms) => watch.bridged('agent', ms)),
      turnEnded: (itemId, position) => this.#turnEnds.note(itemId, position),
      activeReplyId,
    });
    this.#tools = new ToolCalls({ agent, conversation, runs: ports.runs, signal });
    this.#carrier = new CarrierRequests({ ...ports, signal });
  }

  get conversation(): Conversation {
    return this.#conversation;
  }

  get bridge(): Bridge {
    return this.#bridge;
  }

  /** Sockets to the carrier that are open here. */
  get openLines(): number {
    return [...this.#lines.values()].filter(({ told }) => !told.has('stream.closed')).length;
  }

  /** Sockets to the model that are open here. */
  get openSessions(): number {
    return this.#sessions.size;
  }

  /** The last entry that these parts know of. */
  get seq(): number {
    return this.#seq;
  }

  /** A stream of the call is being admitted. Its audio flows once the chart has joined it. */
  enter(line: Line): void {
    const entered: EnteredLine = { line, admitted: false, told: new Set() };
    this.#lines.set(line.streamId, entered);
    line.whenEndedEarly((signal) => {
      entered.told.add(signal.entry.type);
      this.#part(line);
      this.#signal(signal);
    });
  }

  /** The stream was admitted: from now on its line ends with the call. */
  admit(line: Line): LineListener {
    const told = this.#lines.get(line.streamId)?.told ?? new Set();
    if (told.size > 0) return this.#lateListener(line, told);
    this.#lines.set(line.streamId, { line, admitted: true, told });
    if (this.#joined === line) this.#bridge.lineOpened();
    return {
      onAudio: (audio, timestampMs) => {
        if (this.#joined === line) this.#hearCaller(audio, timestampMs);
      },
      onGathered: () => {
        if (this.#joined === line) this.#bridge.callerAudioGathered();
      },
      onMark: (name) => {
        if (this.#joined === line) this.#bridge.markEchoed(name);
      },
      onSignal: (signal) => this.#fromLine(line, signal),
    };
  }

  /** V3. Of a stream that has ended meanwhile: what the caller said is kept, and its end is told once. */
  #lateListener(line: Line, told: ReadonlySet<string>): LineListener {
    this.#lines.delete(line.streamId);
    return {
      onAudio: (audio) => {
        if (this.#joined === null) this.#bridge.lateCallerAudio(audio);
      },
      onMark: () => undefined,
      onSignal: (signal) => {
        if (!told.has(signal.entry.type)) this.#signal(signal);
      },
    };
  }

  observe({ call, entry, payloads, after }: ObservedStep): void {
    this.#call = call;
    this.#seq = entry.seq;
    this.#conversation.apply(entry, payloads);
    if (entry.type === 'tool.finished') this.#tools.settle(entry.toolCallId);
    for (const { generation, item, place } of this.#unseeded.settledBy(entry, presentIn(after))) {
      this.#sessions.remember(generation, item, place);
    }
    const answered = this.#turnEnds.answeredBy(entry);
    if (answered !== null) this.#bridge.answeredUpTo(answered);
  }

  perform(command: Command, key: string): void {
    const handle = this.#handlers[command.type] as (params: object, key: string) => void;
    handle(command.params, key);
  }

  dispose(): void {
    this.#disposed = true;
    this.#tools.leave(this.#call?.state.snapshot.status !== 'active');
    this.#sessions.closeAll();
    this.#bridge.close();
    this.#joined = null;
    for (const { line, admitted } of this.#lines.values()) if (admitted) line.close();
    this.#lines.clear();
  }

  #hearCaller(audio: Uint8Array, timestampMs: number): void {
    const startedMs = this.#callerFrames.begin();
    this.#bridge.callerAudio(audio, timestampMs);
    this.#callerFrames.end(startedMs);
  }

  readonly #handlers: Handlers = {
    openModel: ({ generation }) => this.#openModel(generation),
    closeModel: ({ generation }) => this.#sessions.close(generation, this.#isConversation),
    joinModel: ({ generation }) => this.#sessions.join(generation),
    joinStream: ({ streamId }) => this.#joinStream(streamId),
    closeStream: ({ streamId }) => this.#closeStream(streamId),
    confirmMove: ({ streamId }) => this.#signal({ entry: { type: 'move.confirmed', streamId } }),
    createReply: ({ purpose, of, standsIn = false }) => {
      // It waited for the journal: the model may have begun by itself, and a second answer would follow that one.
      if (standsIn && !this.#isAnswerAwaited) return;
      const task = this.#resumption.purposeFor(purpose);
      const instructions = this.agent.instructionsFor(task, this.#conversation, of);
      this.#sessions.serving?.createReply(instructions, { tools: purpose !== 'filler', standsIn });
    },
    interruptReply: () => this.#interruptReply(),
    playHoldingSound: () => this.#bridge.playHoldingSound(),
    runTool: ({ toolCallId }) => this.#tools.run(toolCallId, 'run'),
    recoverTool: ({ toolCallId }) => this.#tools.run(toolCallId, 'recover'),
    sendToolResult: ({ toolCallId }) => {
      const result = this.#tools.resultOf(toolCallId);
      if (result !== null) this.#sessions.sendToolResult(toolCallId, result);
    },
    answerHangUp: ({ toolCallId, accepted }) =>
      this.#sessions.sendToolResult(toolCallId, this.agent.hangUpAnswer(accepted)),
    answerTransfer: ({ toolCallId, outcome }) => this.#tools.answerTransfer(toolCallId, outcome),
    askCarrier: () => this.#ask((call) => this.#carrier.askStatus(call)),
    redirectCall: () => this.#ask((call) => this.#carrier.redirect(call)),
    hangUp: () => this.#ask((call) => this.#carrier.hangUp(call)),
    concludeCall: ({ reason }) => this.#signal({ entry: { type: 'call.ended', reason } }),
  };

  #signal(signal: Signal): void {
    if (!this.#disposed) this.#call?.signal(signal);
  }

  #openModel(generation: number): void {
    const settings = this.#context?.settings;
    if (!settings) return;
    const history = this.#unseeded.seed(generation, this.#unsettledReplyId);
    this.#sessions.open(this.agent.modelRequest(generation, history, settings.modelPingMs));
  }

  #ask(request: (call: Call) => Promise<void>): void {
    if (this.#call) void request(this.#call);
  }

  get #context() {
    return this.#call?.state.snapshot.context;
  }

  get #isConversation(): boolean {
    return this.#call?.state.snapshot.matches('live') ?? false;
  }

  get #isAnswerAwaited(): boolean {
    const context = this.#context;
    return context !== undefined && isAnsweredByModel(context);
  }

  /** The reply that another session says while the next one is seeded, or that the line plays on without any. */
  get #unsettledReplyId(): string | null {
    if (!this.#call) return null;
    const { state } = this.#call;
    return this.#sessions.serving ? state.snapshot.context.reply.id : presentIn(state).playedReplyId;
  }

  get #activeReplyId(): string | null {
    const reply = this.#context?.reply;
    return reply?.active ? reply.id : null;
  }

  #joinStream(streamId: string): void {
    const entered = this.#lines.get(streamId);
    if (!entered) return;
    this.#joined = entered.line;
    this.#bridge.attachLine(entered.line);
    if (entered.admitted) this.#bridge.lineOpened();
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
    const session = this.#sessions.serving;
    const coming = this.#context?.reply.voiced ? null : this.#activeReplyId;
    session?.cancelReply();
    const items = this.#bridge.interrupt(coming ?? undefined).map(({ itemId, receivedMs, playedMs }) => {
      session?.truncate(itemId, playedMs);
      return { itemId, receivedMs, playedMs };
    });
    if (items.length > 0) this.#signal({ entry: { type: 'reply.interrupted', items } });
  }

  #bridgeListener(): BridgeListener {
    const streamId = (): string => this.#context?.stream.id ?? 'none';
    return {
      onVoiced: (replyId, itemId) => this.#signal({ entry: { type: 'reply.voiced', replyId, itemId } }),
      onProgressed: (itemId, { receivedMs, playedMs }) =>
        this.#signal({ entry: { type: 'reply.progressed', itemId, receivedMs, playedMs } }),
      onCutShort: (itemId, playedMs) => this.#sessions.serving?.truncate(itemId, playedMs),
      onPlayed: (replyId) => this.#signal({ entry: { type: 'reply.played', replyId } }),
      onStarved: (silentMs) =>
        this.#signal({ entry: { type: 'media.starved', streamId: streamId(), silentMs } }),
      onRoundTrip: (ms) => this.#watch.roundTrip(ms),
      onResumed: () => this.#signal({ entry: { type: 'media.resumed', streamId: streamId() } }),
      onOverflow: (kind) =>
        this.#signal({
          entry: { type: 'input.refused', peer: kind === 'caller' ? 'model' : 'carrier', kind: 'overflow' },
        }),
    };
  }
}
