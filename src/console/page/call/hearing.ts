/**
 * Owns: what the caller hears at an entry, in a few words, for whoever looks at a call in trouble.
 * Does not own: the chart. It is told by the facts alone: who began, who stopped, which line and session are there.
 */
import type { StepView } from '../../../runtime/ports/operator.ts';

export interface Hearing {
  text: string;
  mood: 'good' | 'warn' | 'bad' | 'plain';
  /** The entry since which it is so. */
  seq: number;
}

type Words = Omit<Hearing, 'seq'>;
type Entry = StepView['entry'];

const words = (text: string, mood: Hearing['mood']): Words => ({ text, mood });

const lineGone = words('Silence: the line to the caller is gone', 'bad');
const waiting = words('Silence, and waits for the agent', 'warn');
const quiet = words('Silence: nobody speaks', 'plain');
const toolRuns = words('Silence: a tool runs', 'warn');
const agentSpeaks = words('The agent speaks', 'good');
const callerSpeaks = words('Nobody: the caller speaks', 'good');
const holdingSound = words('The holding sound', 'warn');

/** What is heard from an entry on, whatever was heard before. */
const always: Readonly<Record<string, Words>> = {
  'call.created': words('It rings', 'plain'),
  'media.starved': words('Nothing comes from the caller’s line', 'bad'),
  'stream.started': quiet,
  'caller.startedSpeaking': callerSpeaks,
  'caller.stoppedSpeaking': waiting,
  'reply.voiced': agentSpeaks,
  'reply.progressed': agentSpeaks,
  'model.closed': words('Silence: the agent has no session', 'bad'),
  'transfer.requested': words('Is being put through', 'plain'),
  'hangUp.requested': words('Is about to be hung up', 'plain'),
  'call.ended': words('The call is over', 'plain'),
};

/** What is heard from an entry on where neither the caller nor the agent speaks. */
const inSilence: Readonly<Record<string, Words>> = {
  'reply.played': quiet,
  'reply.interrupted': quiet,
  'tool.finished': waiting,
};

const endsOfLines: ReadonlySet<string> = new Set(['stream.stopped', 'stream.closed', 'stream.failed']);

const asksFor = ({ commands }: StepView, name: string): boolean =>
  commands.some((command) => command.startsWith(name));

/** Who speaks and what runs, entry by entry. */
class Ear {
  #streamId: string | null = null;
  #callerSpeaks = false;
  /** Replies that have a sound and were not played to their end. */
  readonly #replies = new Set<string>();
  readonly #tools = new Set<string>();

  /** Null: what is heard stays as it was. */
  take(step: StepView): Words | null {
    const { entry } = step;
    if (endsOfLines.has(entry.type)) return this.#isOfThisLine(entry) ? this.#fallSilent(lineGone) : null;
    if (entry.type === 'stream.started') {
      this.#streamId = entry.streamId;
      return this.#fallSilent(quiet);
    }
    this.#follow(step);
    return always[entry.type] ?? this.#inSilence(step);
  }

  #inSilence({ entry }: StepView): Words | null {
    const isToolBegun = entry.type === 'tool.requested' && this.#tools.has(entry.toolCallId);
    const heard = inSilence[entry.type] ?? (isToolBegun ? toolRuns : null);
    if (heard === null) return null;
    if (this.#callerSpeaks) return callerSpeaks;
    if (this.#replies.size > 0) return agentSpeaks;
    return this.#tools.size > 0 ? toolRuns : heard;
  }

  #follow(step: StepView): void {
    const { entry } = step;
    if (entry.type === 'caller.startedSpeaking') this.#callerSpeaks = true;
    if (entry.type === 'caller.stoppedSpeaking') this.#callerSpeaks = false;
    if (entry.type === 'reply.voiced') this.#replies.add(entry.replyId);
    if (entry.type === 'reply.played') this.#replies.delete(entry.replyId);
    if (entry.type === 'reply.interrupted') this.#replies.clear();
    // Hanging up and putting through are tools that nobody runs.
    if (entry.type === 'tool.requested' && asksFor(step, 'runTool')) this.#tools.add(entry.toolCallId);
    if (entry.type === 'tool.finished') this.#tools.delete(entry.toolCallId);
  }

  /** The end of a line that another one has replaced is not heard. */
  #isOfThisLine(entry: Entry): boolean {
    return this.#streamId === null || !('streamId' in entry) || entry.streamId === this.#streamId;
  }

  #fallSilent(heard: Words): Words {
    this.#callerSpeaks = false;
    this.#replies.clear();
    return heard;
  }
}

const furthestBack = 300;

export function hearingAt(steps: readonly StepView[], seq: number): Hearing | null {
  const ear = new Ear();
  let heard: Hearing | null = null;
  for (let index = Math.max(1, seq - furthestBack); index <= seq; index++) {
    const step = steps[index - 1];
    if (!step) continue;
    const taken = ear.take(step);
    const next = asksFor(step, 'playHoldingSound') ? holdingSound : taken;
    if (!next || next.text === heard?.text) continue;
    if (step.entry.type === 'model.closed' && hasSession(steps, index)) continue;
    heard = { ...next, seq: index };
  }
  return heard;
}

/** One session takes over from another: the end of one of the two is not heard. */
function hasSession(steps: readonly StepView[], seq: number): boolean {
  const closed = new Set<number>();
  for (let index = seq; index > 0; index--) {
    const entry = steps[index - 1]?.entry;
    if (entry?.type === 'owner.claimed') return false;
    if (entry?.type === 'model.closed') closed.add(entry.generation);
    if (entry?.type === 'model.opened' && !closed.has(entry.generation)) return true;
  }
  return false;
}
