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

const hearing = (text: string, mood: Hearing['mood']): Omit<Hearing, 'seq'> => ({ text, mood });

const lineGone = hearing('Silence: the line to the caller is gone', 'bad');
const waiting = hearing('Silence, and waits for the agent', 'warn');
const quiet = hearing('Silence: nobody speaks', 'plain');

const byEntry: Readonly<Record<string, Omit<Hearing, 'seq'>>> = {
  'call.created': hearing('It rings', 'plain'),
  'stream.stopped': lineGone,
  'stream.closed': lineGone,
  'stream.failed': lineGone,
  'media.starved': hearing('Nothing comes from the caller’s line', 'bad'),
  'stream.started': quiet,
  'caller.startedSpeaking': hearing('Nobody: the caller speaks', 'good'),
  'caller.stoppedSpeaking': waiting,
  'reply.voiced': hearing('The agent speaks', 'good'),
  'reply.progressed': hearing('The agent speaks', 'good'),
  'reply.played': quiet,
  'reply.interrupted': quiet,
  'model.closed': hearing('Silence: the agent has no session', 'bad'),
  'tool.requested': hearing('Silence: a tool runs', 'warn'),
  'tool.finished': waiting,
  'transfer.requested': hearing('Is being put through', 'plain'),
  'hangUp.requested': hearing('Is about to be hung up', 'plain'),
  'call.ended': hearing('The call is over', 'plain'),
};

const furthestBack = 300;

export function hearingAt(steps: readonly StepView[], seq: number): Hearing | null {
  for (let index = seq; index > Math.max(0, seq - furthestBack); index--) {
    const step = steps[index - 1];
    if (!step) continue;
    if (step.commands.some((command) => command.startsWith('playHoldingSound'))) {
      return { ...hearing('The holding sound', 'warn'), seq: index };
    }
    const found = byEntry[step.entry.type];
    if (found && !(step.entry.type === 'model.closed' && hasSession(steps, index)))
      return { ...found, seq: index };
  }
  return null;
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
