/**
 * Owns: what an operator can see of calls and do with them, as the console's server and its page share it: plain JSON.
 * Does not own: how it is found (`src/service/console`), how it is served (`src/adapters/http`), how it is drawn
 * (`src/console`).
 *
 * All times are milliseconds; those named `at` or ending in `At` count from the Unix epoch.
 */
import type { Entry } from '../../machines/entries.ts';
import type { Json } from './journal.ts';

/** Who acts. `name` is what they said of themselves at the login, or the name of their account on the host. */
export interface Operator {
  name: string;
  via: 'console' | 'commandLine';
}

/** A call as a list shows it. `from` and `to` are null once they are erased. */
export interface CallSummary {
  callId: string;
  direction: 'incoming' | 'outgoing';
  from: string | null;
  to: string | null;
  /** The instance that has the call; null once it has ended. */
  owner: string | null;
  startedAt: number;
  endedAt: number | null;
  endReason: string | null;
  lastSeq: number;
  /** The chart's state value, and in words: `live: carrier streaming, model ready`. */
  state: Json;
  stateText: string;
  /** Something was lost, and is being brought back. */
  recovering: boolean;
  /** From the caller's last word to the agent's first sound, of the newest answer. Known of calls that are live here. */
  latencyMs: number | null;
  /** Rungs of the recovery ladder that the call has climbed. Known of calls that are live here. */
  recoveries: number | null;
}

export interface CallQuery {
  live?: boolean;
  direction?: 'incoming' | 'outgoing';
  endReason?: string;
  /** Part of a call id, an instance, a reason, a number or of what was said; upper or lower case. */
  text?: string;
  startedAfter?: number;
  startedBefore?: number;
  /** From the last page. */
  cursor?: string;
  /** 1 to 200; 50 where absent. */
  limit?: number;
}

export interface CallPage {
  calls: CallSummary[];
  /** For the next page; null where this is the last one. */
  cursor: string | null;
}

/** One entry and what became of it. */
export interface StepView {
  entry: Entry;
  /** Content by field of the entry; null where it was erased. */
  payloads: Record<string, string | null>;
  /** The entry in one line of words. */
  text: string;
  /** Index into `configurations`. */
  configuration: number;
  /** Ids of the arrows taken, in order (`ChartDrawing.edges`). */
  edges: string[];
  /** Commands asked for, each in words. */
  commands: string[];
  /** What changed in the context: new value by top-level key. All of it for the first step. */
  context: Record<string, Json>;
  /** Timers by name: the moment when each that it armed is due; null for one that it cancelled or let elapse. */
  timers: Record<string, number | null>;
  /** False where the fold differs from the state that was stored. */
  matches: boolean;
}

/** Somebody said something, or a tool was run. What the page shows of it at a seq follows from the seqs in it. */
export interface LineView {
  id: string;
  who: 'caller' | 'agent' | 'tool' | 'operator';
  seq: number;
  at: number;
  /** Null while it is not known, and once it is erased. For a tool: name and arguments. */
  text: string | null;
  textSeq: number | null;
  erased: boolean;
  /** Agent: what was heard of it, oldest first; `text` cut by `playedMs / receivedMs` is what the caller heard. */
  heard: { seq: number; receivedMs: number; playedMs: number; text: string }[];
  /** Agent: the entry at which it was cut short. */
  cutSeq: number | null;
  /** Tool: its outcome. */
  outcome: { seq: number; outcome: string; text: string | null } | null;
}

/** A turn of the caller and its answer. Null: did not happen, or not yet. */
export interface TurnView {
  seq: number;
  startedAt: number;
  /** The caller's last word, when its end was detected, when a reply began, its first sound, its end. */
  lastWordAt: number | null;
  detectedAt: number | null;
  replyAt: number | null;
  voicedAt: number | null;
  endedAt: number | null;
  outcome: 'answered' | 'unanswered' | 'interrupted' | null;
  tool: boolean;
}

/**
 * Something was lost and came back, or not. `recovered` is null while that is not known; for good where it has an end: the
 * call was over.
 */
export interface RecoveryView {
  seq: number;
  rung: string;
  cause: string;
  startedAt: number;
  endedAt: number | null;
  recovered: boolean | null;
}

/** An entry that names the cause of something that went wrong. */
export interface TroubleView {
  seq: number;
  at: number;
  /** What went wrong, in a few words: `The model session was lost`. */
  title: string;
  /** The cause as the entry names it: `1006`, `timed out after 8 s`. */
  cause: string;
}

export interface CallView {
  call: CallSummary;
  /** Number of the newest chart that the log names; null where this version cannot draw it. */
  chart: number | null;
  /** Each set of active nodes that occurs, as ids of `ChartDrawing.nodes`. */
  configurations: string[][];
  steps: StepView[];
  lines: LineView[];
  turns: TurnView[];
  recoveries: RecoveryView[];
  troubles: TroubleView[];
  /** Why nothing can be folded, where that is so: the entries alone are shown. */
  fault: string | null;
}

/**
 * What is new since the last one. Lists hold what is new or changed, by `id` or `seq` (steps: by the entry's);
 * configurations are appended. `chart` and `fault` are there where one of them changed.
 */
export type CallPatch = Omit<CallView, 'chart' | 'fault'> & Partial<Pick<CallView, 'chart' | 'fault'>>;

/** How loud it was in the last `windowMs`, 0 to 1 of full scale (RMS); told where it has changed. */
export interface SoundView {
  at: number;
  windowMs: number;
  caller: number;
  agent: number;
}

export type OperatorCommand =
  | { do: 'hangUp' }
  /** E.164. */
  | { do: 'transfer'; number: string }
  /** The agent says these words, 1 to 500 characters, as soon as nobody speaks. */
  | { do: 'say'; words: string }
  /** To any other process that is ready. */
  | { do: 'move' }
  /** The personal data of a call that has ended. */
  | { do: 'erase' };

/** A chart, drawn. Ids are state paths (`live.carrier.streaming`) and `path|event|index` for arrows. */
export interface ChartDrawing {
  number: number;
  name: string;
  width: number;
  height: number;
  nodes: DrawnNode[];
  edges: DrawnEdge[];
}

export interface DrawnNode {
  id: string;
  label: string;
  /** A `reference` stands for a state that is drawn elsewhere, or for whichever state of its region. */
  kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'reference';
  /** Its parent begins with it. */
  initial: boolean;
  /** Absolute. */
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface DrawnEdge {
  id: string;
  from: string;
  to: string;
  /** Event, and the guard where there is one: `model.closed [currentModel]`. */
  label: string;
  /** The label as it is drawn: each at most as wide as `labelAt`. */
  lines: string[];
  /** Absolute corners. Arrows between the same states share them; none where the state reacts and stays. */
  points: { x: number; y: number }[];
  labelAt: { x: number; y: number; width: number; height: number } | null;
}

/** What the browser is told when it plays the carrier: open a stream, wait, or the call is over. */
export type BrowserInstruction =
  | { do: 'connect'; callId: string; attempt: number; token: string; afterMs: number }
  | { do: 'wait'; callId: string; afterMs: number }
  | { do: 'end'; callId: string; because: string };

export interface InstanceView {
  instance: string;
  host: string;
  pid: number;
  ready: boolean;
  startedAt: number;
  beatAgeMs: number;
  /** It answers this request. */
  here: boolean;
}

/** A fact of a process, in the past tense. `detail` holds no personal data. */
export interface InstanceFactView {
  instance: string;
  at: number;
  type: string;
  detail: Record<string, Json>;
}

export type Stop = () => void;

/** Everything that the console's server asks of the rest. */
export interface OperatorDesk {
  listCalls(query: CallQuery): Promise<CallPage>;
  /** All live calls, at once and whenever they changed, at most four times a second. */
  watchCalls(listener: (calls: CallSummary[]) => void): Stop;
  /** @throws FixCallError `call.unknown` */
  readCall(callId: string): Promise<CallView>;
  /** What comes after `afterSeq`, and the sound while the call is live here. Ends by itself never: stop it. */
  watchCall(
    callId: string,
    afterSeq: number,
    listener: { patch(patch: CallPatch): void; sound(sound: SoundView): void; failed(error: unknown): void },
  ): Stop;
  /** Null: this version cannot draw it. */
  chart(number: number): ChartDrawing | null;
  instances(): Promise<InstanceView[]>;
  /** Newest first. */
  instanceLog(query: { instance?: string; before?: number; limit?: number }): Promise<InstanceFactView[]>;
  /** @throws FixCallError `call.unknown`, `call.over`, `command.invalid` */
  command(callId: string, command: OperatorCommand, operator: Operator): Promise<void>;
  /** One file with everything, as JSON. @throws FixCallError `call.unknown` */
  exportCall(callId: string): Promise<string>;
  /**
   * Messages for the Stately inspector, oldest first and then as they come, each once `listener` has taken the one before.
   * @throws FixCallError `call.unknown`
   */
  inspect(callId: string, listener: (message: string) => Promise<void>): Promise<Stop>;
  /** A call from the browser begins: the browser plays the carrier. */
  callFromBrowser(operator: Operator): Promise<BrowserInstruction>;
  /** The stream is over: what now? @throws FixCallError `call.unknown` */
  continueFromBrowser(callId: string): Promise<BrowserInstruction>;
  /** The person at the browser hung up. @throws FixCallError `call.unknown` */
  leaveFromBrowser(callId: string): Promise<void>;
}
