/**
 * Owns: which entries name the cause of something that went wrong, and how it is said to an operator.
 * Does not own: what was recovered (`timeline-views.ts`).
 */
import type { Entry, EntryOf, EntryType } from '../../machines/entries.ts';
import type { Payload } from '../../runtime/ports/journal.ts';
import type { TroubleView } from '../../runtime/ports/operator.ts';
import { served } from '../../telemetry/call-meter.ts';
import { closeCodeText, closingText, endReasonText, secondsText } from './cause-text.ts';
import { Tracked } from './tracked.ts';

interface Trouble {
  title: string;
  cause: string;
  /** Without what the payload says; absent where none is told. */
  erased?: string;
}

type Content = (name: string) => string | null;
type Handlers = { [Type in EntryType]?: (entry: EntryOf<Type>, content: Content) => Trouble | null };

/** Ends that nobody calls a loss: our own, and a close frame without a code (RFC 6455 section 7.4.1). */
const orderlyCodes: ReadonlySet<number> = new Set([1000, 1005]);

/** Waits whose end is trouble, by the name of the delay. */
const waits: Readonly<Record<string, string>> = {
  modelConnect: 'No model session was opened in time',
  replyStart: 'The model began no reply in time',
  playbackStall: 'A reply stalled while it was played',
  redirect: 'The carrier did not do in time what it was told',
  askCarrier: 'The carrier did not say in time how the call stands',
  starved: 'The caller’s line stayed silent',
  moveDeadline: 'No quiet moment came before the call had to move',
};

/** `xstate.after.modelConnect.call.live.model.connecting` is `modelConnect`. */
const delayOf = (timer: string): string => timer.split('.')[2] ?? '';

const requestText = { refused: 'the carrier refused it', unreachable: 'the carrier could not be reached' };

const toolTitles = {
  failed: 'failed',
  timedOut: 'did not answer in time',
  unknown: 'was cut off: whether it was done is not known',
} as const;

export class TroubleViews {
  readonly #troubles = new Tracked<number, TroubleView>();
  readonly #tools = new Map<string, { name: string; at: number }>();
  /** By entry, of causes that a payload tells. */
  readonly #erased = new Map<number, string>();
  #owner: string | null = null;
  #isMoving = false;

  apply(entry: Entry, payloads: readonly Payload[]): void {
    const handle = this.#handlers[entry.type] as
      | ((entry: Entry, content: Content) => Trouble | null)
      | undefined;
    const found = handle?.(entry, (name) => payloads.find((row) => row.name === name)?.content ?? null);
    if (!found) return;
    const { seq, at } = entry;
    const { title, cause, erased } = found;
    if (erased !== undefined) this.#erased.set(seq, erased);
    this.#troubles.set(seq, { seq, at, title, cause }, seq);
  }

  troublesAfter(seq: number): TroubleView[] {
    return this.#troubles.changedAfter(seq);
  }

  erase(seq: number): void {
    this.#troubles.changeAll(seq, (trouble) => {
      const cause = this.#erased.get(trouble.seq);
      return cause === undefined || cause === trouble.cause ? trouble : { ...trouble, cause };
    });
  }

  readonly #handlers: Handlers = {
    'owner.claimed': (entry) => this.#claim(entry),
    'move.requested': () => {
      this.#isMoving = true;
      return null;
    },
    'stream.started': () => {
      this.#isMoving = false;
      return null;
    },
    'journal.lost': ({ queuedEntries, stalledMs }) => ({
      title: 'The journal took nothing any more',
      cause: `${queuedEntries} entries waited for ${secondsText(stalledMs)}`,
    }),
    'stream.misdirected': ({ attempt }) => ({
      title: 'A stream came to a process that could not keep the call',
      cause: `stream ${attempt} was sent away`,
    }),
    'stream.failed': ({ error }) => ({ title: 'The media stream failed', cause: error }),
    'stream.closed': ({ code }) =>
      orderlyCodes.has(code) ? null : { title: 'The media stream broke off', cause: closeCodeText(code) },
    'media.starved': ({ silentMs }) => ({
      title: 'No audio came from the caller’s line',
      cause: `nothing for ${secondsText(silentMs)}`,
    }),
    'carrier.unreachable': ({ cause }) => ({ title: 'The carrier could not be asked', cause }),
    'carrier.reported': ({ status }) =>
      status === 'failed' ? { title: 'The carrier could not carry the call', cause: status } : null,
    'redirect.finished': ({ outcome, told }) =>
      outcome === 'redirected'
        ? null
        : { title: `The carrier was not told to ${told ?? 'go on'}`, cause: requestText[outcome] },
    'hangUp.finished': ({ outcome }) =>
      outcome === 'completed' ? null : { title: 'The call was not hung up', cause: requestText[outcome] },
    'input.refused': ({ peer, kind }) => refusedInput(peer, kind),
    'model.closed': (entry) => closedModel(entry),
    'reply.finished': (entry) => finishedReply(entry),
    'tool.requested': ({ toolCallId, name, at }) => {
      this.#tools.set(toolCallId, { name, at });
      return null;
    },
    'tool.finished': (entry, content) => this.#finishTool(entry, content),
    'transfer.finished': ({ outcome }) =>
      outcome === 'completed' ? null : { title: 'The caller could not be put through', cause: outcome },
    'call.ended': ({ reason }) =>
      served.has(reason)
        ? null
        : { title: 'The caller was not served to the end', cause: endReasonText(reason) },
    'timer.elapsed': ({ timer }) => {
      const title = waits[delayOf(timer)];
      return title === undefined ? null : { title, cause: `the wait ${delayOf(timer)} was over` };
    },
  };

  #claim({ instance, why }: EntryOf<'owner.claimed'>): Trouble | null {
    const owner = this.#owner;
    this.#owner = instance;
    if (why === 'orphan' || why === 'restarted') {
      const how = why === 'orphan' ? 'found by' : 'restarted as';
      return { title: `The process ${owner ?? ''} that had the call was gone`, cause: `${how} ${instance}` };
    }
    if (owner === null || owner === instance || this.#isMoving || why !== 'stream') return null;
    return { title: `The call left the process ${owner}`, cause: `its new stream came to ${instance}` };
  }

  #finishTool({ toolCallId, outcome, at }: EntryOf<'tool.finished'>, content: Content): Trouble | null {
    const tool = this.#tools.get(toolCallId);
    this.#tools.delete(toolCallId);
    if (outcome === 'completed') return null;
    const title = `The tool ${tool?.name ?? toolCallId} ${toolTitles[outcome]}`;
    if (outcome === 'timedOut')
      return { title, cause: `timed out after ${secondsText(at - (tool?.at ?? at))}` };
    if (outcome === 'unknown') return { title, cause: 'the process that ran it was gone' };
    return { title, cause: content('result') ?? outcome, erased: outcome };
  }
}

function closedModel({ code, cause, reaction }: EntryOf<'model.closed'>): Trouble | null {
  if (cause === 'closed here') return null;
  const title = reaction === 'giveUp' ? 'The model refused the call for good' : 'The model session was lost';
  return { title, cause: closingText(code, cause) };
}

function finishedReply({ status, cause, voiced, toolCalls }: EntryOf<'reply.finished'>): Trouble | null {
  if (status === 'failed') return { title: 'The model failed in a reply', cause: cause ?? status };
  if (status === 'incomplete') return { title: 'The model broke a reply off', cause: cause ?? status };
  if (status !== 'completed' || voiced || toolCalls > 0) return null;
  return { title: 'The model gave an empty reply', cause: 'no sound and no tool call' };
}

function refusedInput(peer: 'carrier' | 'model', kind: string): Trouble {
  if (kind === 'overflow' && peer === 'model')
    return { title: 'Words of the caller were lost', cause: 'no model session took the audio in time' };
  if (kind === 'overflow')
    return { title: 'A reply was cut', cause: 'the line took less audio than the model sent' };
  return { title: `A message of the ${peer} was refused`, cause: kind };
}
