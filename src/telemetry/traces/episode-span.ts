/**
 * Owns: what the span of an episode says: its name, its kind, its parent, its attributes, whether it failed.
 * Does not own: ids (`span-id.ts`), making and sending it (`span-recorder.ts`, `otlp-traces.ts`).
 *
 * Nothing here is personal: an episode holds what its entries hold. Of what was said there are tokens and seconds.
 */
import type { Usage } from '../../machines/entry-values.ts';
import { served } from '../call-meter.ts';
import type { Episode, EpisodeKind, EpisodeOf } from '../timeline/episode.ts';
import { attributes as names } from './attributes.ts';

export type AttributeValue = string | number | boolean;

/** What a span says of its own episode. */
interface Told {
  name: string;
  /** `internal` unless told: `client` asks somebody else for something, `server` is asked. */
  role?: 'client' | 'server';
  attributes?: Readonly<Record<string, AttributeValue | null>>;
  /** Why it failed, in a word; null where it did not. */
  error?: string | null;
}

export interface EpisodeSpan {
  name: string;
  role: 'internal' | 'client' | 'server';
  attributes: Record<string, AttributeValue>;
  error: string | null;
  /** Null for the root. */
  parent: { kind: EpisodeKind; seq: number } | null;
}

/** The span of the whole call, from its first entry. */
const root = { kind: 'call', seq: 1 } as const;

const seconds = (ms: number): number => ms / 1_000;
const unlessOk = (outcome: string, ...fine: string[]): string | null =>
  fine.includes(outcome) ? null : outcome;

/** Codes of a WebSocket that was closed in order (RFC 6455, section 7.4.1). */
const orderlyCloses: readonly string[] = ['1000', '1001', '1005'];

type Tellers = { [Kind in EpisodeKind]: (episode: EpisodeOf<Kind>, model: string) => Told };

const tellers: Tellers = {
  call: ({ direction, reason, instance }) => ({
    name: 'call',
    role: 'server',
    attributes: { [names.direction]: direction, [names.endReason]: reason, [names.owner]: instance },
    error: served.has(reason) ? null : reason,
  }),
  turn: ({ outcome, tool }) => ({
    name: 'turn',
    attributes: { [names.outcome]: outcome, [names.usedTool]: tool },
  }),
  answer: ({ startedAt, detectedAt, tool }) => ({
    name: 'answer',
    attributes: { [names.endOfTurn]: seconds(detectedAt - startedAt), [names.usedTool]: tool },
  }),
  greeting: () => ({ name: 'greeting' }),
  bargeIn: () => ({ name: 'barge_in' }),
  reply: (episode, model) => ({
    name: `chat ${model}`,
    role: 'client',
    attributes: replyAttributes(episode, model),
    error: episode.status === 'failed' ? (episode.cause ?? 'failed') : null,
  }),
  tool: ({ name, outcome }) => ({
    name: `execute_tool ${name}`,
    attributes: {
      [names.operation]: 'execute_tool',
      [names.toolName]: name,
      [names.toolType]: 'function',
      [names.outcome]: outcome,
    },
    error: unlessOk(outcome, 'completed'),
  }),
  session: ({ generation, code, cause }) => ({
    name: 'session',
    role: 'client',
    attributes: { [names.generation]: generation, [names.closeCode]: code, [names.cause]: cause },
    error: code === 1_000 || cause === 'call.ended' ? null : String(code ?? cause),
  }),
  stream: ({ attempt, end, cause }) => ({
    name: 'stream',
    role: 'server',
    attributes: { [names.attempt]: attempt, [names.streamEnd]: end, [names.cause]: cause || null },
    error: streamError(end, cause),
  }),
  recovery: ({ rung, cause, outcome }) => ({
    name: `recovery ${rung}`,
    attributes: { [names.rung]: rung, [names.cause]: cause, [names.outcome]: outcome },
    error: unlessOk(outcome, 'recovered'),
  }),
  transfer: ({ outcome }) => ({
    name: 'transfer',
    attributes: { [names.outcome]: outcome },
    error: unlessOk(outcome, 'completed', 'canceled'),
  }),
};

/** A stream that ends with its call, or gave way to the next one, was closed by us. */
function streamError(end: EpisodeOf<'stream'>['end'], cause: string): string | null {
  const isLost = end === 'failed' || (/^\d+$/.test(cause) && !orderlyCloses.includes(cause));
  return isLost ? cause : null;
}

const replyAttributes = (
  { replyId, status, cause, startedAt, voicedAt, usage }: EpisodeOf<'reply'>,
  model: string,
): Told['attributes'] => ({
  [names.operation]: 'chat',
  [names.provider]: 'openai',
  [names.requestModel]: model,
  [names.isStream]: true,
  [names.outputType]: 'speech',
  [names.responseId]: replyId,
  [names.replyStatus]: status,
  [names.cause]: cause,
  [names.firstChunk]: voicedAt === null ? null : seconds(voicedAt - startedAt),
  ...(usage ? usageAttributes(usage) : {}),
});

const usageAttributes = (usage: Usage): Told['attributes'] => ({
  [names.inputTokens]: usage.inputTextTokens + usage.inputAudioTokens,
  [names.outputTokens]: usage.outputTextTokens + usage.outputAudioTokens,
  [names.cachedTokens]: usage.inputCachedTokens,
  [names.inputAudioTokens]: usage.inputAudioTokens,
  [names.outputAudioTokens]: usage.outputAudioTokens,
});

/** Within a turn are its own episodes; a process that has the call later ends the turn, under the same id. */
function parentOf(episode: Episode): EpisodeSpan['parent'] {
  if (episode.kind === 'call') return null;
  const turn = 'turn' in episode ? episode.turn : null;
  return turn === null ? root : { kind: 'turn', seq: turn };
}

export function spanOf(callId: string, model: string, episode: Episode): EpisodeSpan {
  const tell = tellers[episode.kind] as (episode: Episode, model: string) => Told;
  const { name, role = 'internal', attributes = {}, error = null } = tell(episode, model);
  const all = {
    [names.callId]: callId,
    [names.conversation]: callId,
    ...attributes,
    [names.errorType]: error,
  };
  const known = Object.entries<AttributeValue | null>(all).filter(
    (attribute): attribute is [string, AttributeValue] => attribute[1] !== null,
  );
  return { name, role, attributes: Object.fromEntries(known), error, parent: parentOf(episode) };
}
