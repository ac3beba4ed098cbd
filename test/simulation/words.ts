/** Owns: a story and its faults as sentences. */
import type { FaultOn, Story, StoryFault } from './story.ts';

const seconds = (ms: number): string => `${Number((ms / 1_000).toFixed(3))} s`;
const ordinal = (count: number): string =>
  `${count}${count === 1 ? 'st' : count === 2 ? 'nd' : count === 3 ? 'rd' : 'th'}`;

/** Each fault a sentence. */
export const storyInWords = (story: Story): string[] => [
  `${story.calls === 1 ? 'One call' : `${story.calls} calls, a second apart`}, with ${processes(story)}; after a stream Twilio does "${policyWords(story)}"; whom the model cannot serve is ${story.fallback === 'hangUp' ? 'hung up on' : 'handed on'}.`,
  ...story.faults.map(faultInWords),
];

function processes({ hosts }: Story): string {
  if (hosts.length === 1) return 'one process';
  const places = new Set(hosts);
  return `${hosts.length} processes on ${places.size === 1 ? 'one host' : `hosts ${hosts.join(', ')}`}`;
}

const policyWords = ({ policy }: Story): string =>
  typeof policy === 'string' ? policy : `${policy.closed} when closed, ${policy.lost} when lost`;

export function faultInWords(fault: StoryFault): string {
  switch (fault.on) {
    case 'stream':
      return streamWords(fault);
    case 'session':
      return `The ${ordinal(fault.connection + 1)} connection to the model: ${sessionWords(fault.fault)}.`;
    case 'callbacks':
      return `Callbacks of call ${fault.call} come ${callbackWords(fault)}.`;
    case 'instructions':
      return `Twilio asks twice at once for each instruction of call ${fault.call}, with ${fault.duplicate === 'same' ? 'one token' : 'a token each'}.`;
    case 'webhooks':
      return `From ${seconds(fault.afterMs)} on, for ${seconds(fault.forMs)}, ${webhookWords(fault)}.`;
    case 'rest':
      return `From ${seconds(fault.afterMs)} on, for ${seconds(fault.forMs)}, the carrier's API ${restWords[fault.trouble]}.`;
    case 'journal':
      return `From ${seconds(fault.afterMs)} on, for ${seconds(fault.forMs)}, the journal of ${fault.process === 'every' ? 'every process' : `process ${fault.process}`} ${journalWords(fault)}.`;
    case 'process':
      return processWords(fault);
    case 'cap':
      return `The model ends every session after ${seconds(fault.sessionMs)}.`;
    case 'transfer':
      return `The callers ask to be put through to somebody: ${fault.outcome}.`;
  }
}

function streamWords(fault: FaultOn<'stream'>): string {
  const which = fault.stream === 'every' ? 'Every stream' : `The ${ordinal(fault.stream)} stream`;
  const when = 'afterMs' in fault ? ` ${seconds(fault.afterMs)} after its start` : '';
  return `${which} of call ${fault.call} ${streamAct(fault)}${when}.`;
}

function streamAct(fault: FaultOn<'stream'>): string {
  switch (fault.fault) {
    case 'reset':
      return 'is reset';
    case 'closeFrame':
      return `is closed with ${fault.code}`;
    case 'halfOpen':
      return `is cut off, which Twilio notices ${seconds(fault.noticedAfterMs)} later,`;
    case 'protocolError':
      return `is given up by Twilio with 31924 and left half-open for ${seconds(fault.lingerMs)}`;
    case 'mediaGap':
      return `brings no audio for ${seconds(fault.forMs)} (${fault.audio})`;
    case 'flood':
      return `brings ${fault.messages} messages at once`;
    case 'garbage':
      return `brings garbage (${fault.kinds.join(', ')})`;
    case 'handshake':
      return `never opens (${fault.code})`;
    case 'stopMissing':
      return 'ends without its stop message';
    case 'jitter':
      return `has frames up to ${fault.mostMs} ms late, and bursts of ${fault.burstMs} ms`;
  }
}

function sessionWords(fault: FaultOn<'session'>['fault']): string {
  const when = 'when' in fault ? momentWords(fault.when) : '';
  switch (fault.kind) {
    case 'refuseInBand':
      return `refused in band (${fault.reason})`;
    case 'refuseUpgrade':
      return `refused with ${fault.status}`;
    case 'slowUpgrade':
      return `opens only after ${seconds(fault.delayMs)}`;
    case 'drop':
      return `drops ${when}`;
    case 'close':
      return `closes with ${fault.code} ${when}`;
    case 'expire':
      return `expires ${when}${fault.announced ? '' : ', unannounced'}`;
    case 'stall':
      return `goes deaf and mute ${when}${fault.answersPings ? ', and answers pings' : ''}`;
    case 'lateDeltas':
      return `sends ${fault.count} pieces of audio after each cancelled response`;
    case 'response':
      return `${fault.which === 'every' ? 'every response' : `response ${fault.which ?? 1}`} comes to ${fault.outcome}`;
    case 'noise':
      return `every ${fault.everyEvents} events one is ${fault.noise}`;
  }
}

function momentWords(when: Extract<FaultOn<'session'>['fault'], { kind: 'drop' }>['when']): string {
  if ('afterMs' in when) return `after ${seconds(when.afterMs)}`;
  return 'sent' in when
    ? `after sending ${ordinal(when.count ?? 1)} ${when.sent}`
    : `after receiving ${ordinal(when.count ?? 1)} ${when.received}`;
}

function callbackWords({ delayMs, duplicate, reorder }: FaultOn<'callbacks'>): string {
  const ways = [
    delayMs > 0 ? `${seconds(delayMs)} late` : '',
    duplicate ? 'twice' : '',
    reorder ? 'out of order' : '',
  ].filter((way) => way !== '');
  return ways.length === 0 ? 'as they should' : ways.join(', ');
}

function webhookWords({ trouble }: FaultOn<'webhooks'>): string {
  if (typeof trouble === 'object') return `webhooks arrive ${seconds(trouble.delayMs)} late`;
  if (trouble === 'refuse') return 'webhooks are refused';
  return trouble === 'lose' ? 'webhooks are lost' : 'the answers to webhooks are lost';
}

const restWords = {
  refuse: 'refuses with 429',
  lost: 'does what it is asked, and the answers are lost',
  stall: 'does not answer',
} as const;

function journalWords({ trouble, delayMs }: FaultOn<'journal'>): string {
  if (trouble === 'slow') return `takes ${delayMs} ms for each answer`;
  if (trouble === 'fail') return 'fails before anything is done';
  return trouble === 'lost' ? 'fails after it was done' : 'does not answer';
}

function processWords(fault: FaultOn<'process'>): string {
  const name = `Process ${fault.process}`;
  if (fault.fault === 'clockJump')
    return `The wall clock of process ${fault.process} jumps by ${seconds(fault.byMs)} at ${seconds(fault.afterMs)}.`;
  const back =
    fault.restart === null
      ? 'never comes back'
      : `comes back ${seconds(fault.restart.afterMs)} later under ${fault.restart.name === 'same' ? 'its' : 'another'} name`;
  if (fault.fault === 'drain')
    return `${name} is asked to stop at ${seconds(fault.afterMs)}, within ${seconds(fault.withinMs)}, and ${back}.`;
  const when =
    'afterMs' in fault.when
      ? `at ${seconds(fault.when.afterMs)}`
      : `at its ${ordinal(fault.when.count)} crossing${fault.when.crossing === 'any' ? '' : ` "${fault.when.crossing}"`}`;
  const unseen = fault.noticedAfterMs === 0 ? '' : ` unseen for ${seconds(fault.noticedAfterMs)},`;
  return `${name} dies ${when},${unseen} and ${back}.`;
}
