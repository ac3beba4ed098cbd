/** What kinds of state hold of a call's context (`kinds.ts`), and what they leave out. */
import { type CallContext, noReply } from '../../../src/machines/call/context.ts';
import type { Settings } from '../../../src/machines/settings.ts';

export interface Field {
  name: string;
  size: number;
}

export interface ContextField extends Field {
  of(context: CallContext): number;
}

const isThere = (value: unknown): number => (value === null ? 0 : 1);
const isSo = (value: boolean): number => (value ? 1 : 0);

const transfers = ['fallback', 'agent', 'operator'] as const;
export const fillers = ['none', 'requested', 'begun'] as const;
const announcements = ['none', 'waiting', 'asked'] as const;

export const contextFields = (settings: Settings): ContextField[] => [
  { name: 'instance', size: 2, of: ({ instance }) => isThere(instance) },
  { name: 'stream.attempt', size: 2, of: ({ stream }) => isSo(stream.attempt > 0) },
  { name: 'stream.id', size: 2, of: ({ stream }) => isThere(stream.id) },
  {
    name: 'stream.tries',
    size: settings.streamTries + 1,
    of: ({ stream }) => Math.min(stream.tries, settings.streamTries),
  },
  {
    name: 'asks',
    size: settings.askCarrierTries + 1,
    of: ({ asks }) => Math.min(asks, settings.askCarrierTries),
  },
  { name: 'move', size: 2, of: ({ move }) => isThere(move) },
  { name: 'model.newest', size: 2, of: ({ model }) => isSo(model.newest !== model.generation) },
  { name: 'model.sessionId', size: 2, of: ({ model }) => isThere(model.sessionId) },
  {
    name: 'model.tries',
    size: settings.modelTries,
    of: ({ model }) => Math.min(model.tries, settings.modelTries - 1),
  },
  { name: 'owed', size: 2, of: ({ owed }) => isThere(owed) },
  { name: 'reply.id', size: 2, of: ({ reply }) => isThere(reply.id) },
  { name: 'reply.active', size: 2, of: ({ reply }) => isSo(reply.active) },
  { name: 'reply.voiced', size: 2, of: ({ reply }) => isSo(reply.voiced) },
  { name: 'reply.broken', size: 2, of: ({ reply }) => isSo(reply.broken) },
  {
    name: 'reply.tries',
    size: settings.replyTries + 1,
    of: ({ reply }) => Math.min(reply.tries, settings.replyTries),
  },
  { name: 'callerTurnOpen', size: 2, of: ({ callerTurnOpen }) => isSo(callerTurnOpen) },
  { name: 'tools', size: 3, of: ({ tools }) => tools.length },
  { name: 'toolAnswerOwed', size: 2, of: ({ toolAnswerOwed }) => isSo(toolAnswerOwed) },
  { name: 'filler', size: 3, of: ({ filler }) => fillers.indexOf(filler) },
  { name: 'announcement', size: 3, of: ({ announcement }) => announcements.indexOf(announcement) },
  { name: 'hangUpCall', size: 2, of: ({ hangUpCall }) => isThere(hangUpCall) },
  {
    name: 'transfer',
    size: 4,
    of: ({ transfer }) => (transfer === null ? 0 : transfers.indexOf(transfer.by) + 1),
  },
  { name: 'apology', size: 2, of: ({ apology }) => isSo(apology) },
];

/** Read by delays, commands and the reason of an end alone; ids and attempts are only compared with a fact's. */
export const unheld = new Set([
  'callId',
  'startedAt',
  'settings',
  'fixedWords',
  'endReason',
  'stream.cut',
  'model.generation',
  'model.life',
  'model.next',
  'model.backoffMs',
]);

export const relative = new Set(['settings', 'model.generation']);

/** A context with these numbers. */
export function contextWith(settings: Settings, at: (name: string) => number): CallContext {
  const has = (name: string): boolean => at(name) === 1;
  const by = transfers[at('transfer') - 1];
  return {
    callId: 'call1',
    startedAt: 1_000_000,
    settings: settings,
    instance: has('instance') ? 'one' : null,
    stream: {
      id: has('stream.id') ? 'stream2' : null,
      attempt: has('stream.attempt') ? 2 : 0,
      tries: at('stream.tries'),
      cut: false,
    },
    asks: at('asks'),
    move: has('move') ? { by: 'drain', dueAt: 1_030_000 } : null,
    model: {
      generation: 5,
      newest: has('model.newest') ? 6 : 5,
      sessionId: has('model.sessionId') ? 'session' : null,
      life: null,
      next: has('model.newest') ? { sessionId: 'next', life: null } : null,
      tries: at('model.tries'),
      backoffMs: 0,
    },
    owed: has('owed') ? 'answer' : null,
    fixedWords: null,
    reply: {
      ...noReply,
      id: has('reply.id') ? 'reply' : null,
      active: has('reply.active'),
      voiced: has('reply.voiced'),
      broken: has('reply.broken'),
      tries: at('reply.tries'),
    },
    callerTurnOpen: has('callerTurnOpen'),
    tools: ['tool1', 'tool2'].slice(0, at('tools')),
    toolAnswerOwed: has('toolAnswerOwed'),
    filler: fillers[at('filler')] ?? 'none',
    announcement: announcements[at('announcement')] ?? 'none',
    hangUpCall: has('hangUpCall') ? 'bye' : null,
    transfer: by ? { by, toolCallId: by === 'agent' ? 'tool1' : null } : null,
    endReason: null,
    apology: has('apology'),
  };
}
