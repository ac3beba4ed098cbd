/**
 * The order in which the service sends events, as a table. Events are grouped by what they are about: an item, a
 * response, the session; within a group their types must follow the pattern whole.
 *
 * Source: recorded sessions with the live service; OpenAI Realtime, server events.
 */
import type { RealtimeMessage } from '../../support/realtime-message.ts';

export interface OrderRule {
  about: string;
  /** What an event is about, or null where the rule does not look at it. */
  group(event: RealtimeMessage): string | null;
  /** Which groups the rule is for, told by the types in it. */
  appliesTo(types: readonly string[]): boolean;
  /** The types in a row, each followed by a space. */
  pattern: RegExp;
}

const one = (type: string): string => `${type.replaceAll('.', '\\.')} `;
const optional = (type: string): string => `(?:${one(type)})?`;
const many = (...types: string[]): string => `(?:${types.map(one).join('|')})*`;
const whole = (...parts: string[]): RegExp => new RegExp(`^${parts.join('')}$`);

const transcription = 'conversation.item.input_audio_transcription';

const createdItem = [
  one('conversation.item.added'),
  one('conversation.item.done'),
  many('conversation.item.retrieved'),
].join('');

const itemOf = (event: RealtimeMessage): string | null => {
  if (event.type.startsWith(transcription)) return null;
  return event.item_id ?? event.item?.id ?? null;
};

const isClosedOutput = (types: readonly string[]): boolean => types.includes('response.output_item.done');

export const orderRules: readonly OrderRule[] = [
  {
    about: 'a spoken item of a response',
    group: itemOf,
    appliesTo: (types) => isClosedOutput(types) && types.includes('response.output_audio.done'),
    pattern: whole(
      one('response.output_item.added'),
      optional('conversation.item.added'),
      one('response.content_part.added'),
      many('response.output_audio_transcript.delta', 'response.output_audio.delta'),
      one('response.output_audio.done'),
      one('response.output_audio_transcript.done'),
      one('response.content_part.done'),
      optional('conversation.item.done'),
      one('response.output_item.done'),
      many('conversation.item.truncated', 'conversation.item.retrieved', 'response.output_audio.delta'),
      optional('conversation.item.deleted'),
    ),
  },
  {
    about: 'a written item of a response',
    group: itemOf,
    appliesTo: (types) => isClosedOutput(types) && types.includes('response.output_text.done'),
    pattern: whole(
      one('response.output_item.added'),
      optional('conversation.item.added'),
      one('response.content_part.added'),
      many('response.output_text.delta'),
      one('response.output_text.done'),
      one('response.content_part.done'),
      optional('conversation.item.done'),
      one('response.output_item.done'),
    ),
  },
  {
    about: 'a call of a response',
    group: itemOf,
    appliesTo: (types) => isClosedOutput(types) && types.includes('response.function_call_arguments.done'),
    pattern: whole(
      one('response.output_item.added'),
      optional('conversation.item.added'),
      many('response.function_call_arguments.delta'),
      one('response.function_call_arguments.done'),
      optional('conversation.item.done'),
      one('response.output_item.done'),
    ),
  },
  {
    about: 'a turn of the caller',
    group: itemOf,
    appliesTo: (types) => types.includes('input_audio_buffer.committed'),
    pattern: whole(
      optional('input_audio_buffer.speech_started'),
      optional('input_audio_buffer.speech_stopped'),
      optional('input_audio_buffer.timeout_triggered'),
      one('input_audio_buffer.committed'),
      one('conversation.item.added'),
      one('conversation.item.done'),
      many('conversation.item.retrieved'),
    ),
  },
  {
    about: 'an item that the client created',
    group: itemOf,
    appliesTo: (types) => types[0] === 'conversation.item.added',
    // Its id is free again once it was deleted.
    pattern: whole(`(?:${createdItem}${one('conversation.item.deleted')})*`, `(?:${createdItem})?`),
  },
  {
    about: 'a transcription',
    group: (event) => (event.type.startsWith(transcription) ? event.item_id : null),
    appliesTo: (types) => types.some((type) => !type.endsWith('.delta')),
    pattern: whole(
      many(`${transcription}.delta`),
      `(?:${one(`${transcription}.completed`)}|${one(`${transcription}.failed`)})`,
    ),
  },
  {
    about: 'a response',
    group: (event) => event.response?.id ?? event.response_id ?? null,
    appliesTo: (types) => types.includes('response.done'),
    pattern: whole(
      one('response.created'),
      '(?:response\\.(?!created|done )\\S+ )*',
      one('response.done'),
      many('response.output_audio.delta'),
    ),
  },
  {
    about: 'the session',
    group: () => 'session',
    appliesTo: () => true,
    pattern: /^session\.created (?:(?!session\.created)\S+ )*$/,
  },
  {
    about: 'the limits, reported after each response',
    group: (event) => (['response.done', 'rate_limits.updated'].includes(event.type) ? 'limits' : null),
    appliesTo: (types) => types.includes('rate_limits.updated'),
    pattern: whole(`(?:${one('response.done')}${one('rate_limits.updated')})*`),
  },
];

/** Every place where events break the table, in words; none is what a test wants. */
export function orderBreaches(events: readonly RealtimeMessage[]): string[] {
  return orderRules.flatMap((rule) => {
    const groups = Map.groupBy(events, (event) => rule.group(event));
    groups.delete(null);
    return [...groups.values()]
      .map((group) => group.map(({ type }) => type))
      .filter((types) => rule.appliesTo(types))
      .filter((types) => !rule.pattern.test(types.map((type) => `${type} `).join('')))
      .map((types) => `${rule.about}: ${types.join(' ')}`);
  });
}
