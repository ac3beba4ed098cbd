/**
 * Owns: the entries that chart 1 reacts to, with the fields that it reads. Frozen, never edited. Any other entry leaves
 * a call of chart 1 as it is.
 */
import type { Settings } from './settings.ts';

interface Fields {
  'call.created': { settings: Settings };
  'owner.claimed': {
    instance: string;
    why: 'created' | 'stream' | 'restarted' | 'orphan' | 'moved';
    attempt?: number | undefined;
  };
  'call.answered': { by: 'us' | 'callee' };
  'call.ended': { reason: string };
  'journal.lost': { queuedEntries: number; stalledMs: number };
  'stream.started': { streamId: string; attempt: number };
  'stream.stopped': { streamId: string };
  'stream.closed': { streamId: string; code: number };
  'stream.failed': { streamId: string; error: string };
  'media.starved': { streamId: string; silentMs: number };
  'media.resumed': { streamId: string };
  'carrier.reported': { status: string };
  'model.opened': { generation: number; sessionId: string };
  'model.closed': {
    generation: number;
    reaction: 'retry' | 'giveUp';
    retryAfterMs: number | null;
    jitter: number;
  };
  'caller.startedSpeaking': { itemId: string };
  'caller.stoppedSpeaking': { itemId: string };
  'caller.transcribed': { itemId: string; transcript: { bytes: number } | null };
  'reply.started': { replyId: string };
  'reply.voiced': { replyId: string; itemId: string };
  'reply.progressed': { itemId: string; receivedMs: number; playedMs: number };
  'reply.finished': {
    replyId: string;
    status: 'completed' | 'cancelled' | 'incomplete' | 'failed';
    voiced: boolean;
    toolCalls: number;
  };
  'reply.played': { replyId: string };
  'tool.requested': { toolCallId: string; replyId: string; name: string };
  'tool.finished': { toolCallId: string };
  'hangUp.requested': { by: 'operator' | 'drain' };
  'hangUp.finished': { outcome: 'completed' | 'refused' | 'unreachable' };
}

/** An entry as the chart gets it; `at` is the only time there is. */
export type Fact = { [Type in keyof Fields]: { type: Type; at: number } & Fields[Type] }[keyof Fields];
export type FactOf<Type extends keyof Fields> = Extract<Fact, { type: Type }>;
