/** What holds for every single step of a call, whatever the facts. Each promise says what is wrong, or null. */
import { expect } from 'vitest';
import type { Command, CommandType } from '../../../src/machines/commands.ts';
import type { CallState } from '../../../src/runtime/step.ts';
import { placesOf } from './places.ts';
import type { Move } from './walk.ts';

/** What promises ask of a state, or of a kind of state. */
export interface View {
  /** `live`, `transferring.dialing`. */
  top: string;
  /** `streaming.steady`; nothing where the call is not live. */
  placeIn(region: string): string;
  hasStream: boolean;
  hasSession: boolean;
  openTools: number;
  callerTurnOpen: boolean;
}

export interface Step {
  before: View;
  after: View;
  commands: readonly Command[];
}

type Check = (step: Step) => string | null;

const asks = ({ commands }: Step, type: CommandType): boolean =>
  commands.some((command) => command.type === type);
const isLive = ({ top }: View): boolean => top === 'live';

/** Whether a call is there: `live.carrier.lost`, `ending.apologising`. */
function at(place: string): (view: View) => boolean {
  const [top = '', region = '', ...inner] = place.split('.');
  const inRegion = inner.join('.');
  return top === 'live'
    ? (view) => isLive(view) && view.placeIn(region).startsWith(inRegion)
    : (view) => view.top.startsWith(place);
}

/** Whoever enters the state has what it waits for asked for. */
function entering(place: string, command: CommandType): Check {
  const isThere = at(place);
  return (step) =>
    isThere(step.after) && !isThere(step.before) && !asks(step, command)
      ? `entered without ${command}`
      : null;
}

const keepsToolsAndRegionTogether: Check = ({ after }) =>
  isLive(after) && (after.placeIn('tools') === 'running') !== after.openTools > 0
    ? 'open tool calls and the tools region disagree'
    : null;

const keepsSessionAndRegionTogether: Check = ({ after }) =>
  isLive(after) && after.placeIn('model').startsWith('ready') !== after.hasSession
    ? 'session and the model region disagree'
    : null;

const keepsStreamAndRegionTogether: Check = ({ after }) =>
  isLive(after) && after.placeIn('carrier').startsWith('streaming') !== after.hasStream
    ? 'stream and the carrier region disagree'
    : null;

const callerSpeakingIsAnOpenTurn: Check = ({ after }) =>
  isLive(after) && after.placeIn('turn') === 'callerSpeaking' && !after.callerTurnOpen
    ? 'the caller speaks and no turn is open'
    : null;

/** But for a goodbye that must be said. */
const nobodyTalksOverTheCaller: Check = ({ after, commands }) =>
  isLive(after) &&
  after.placeIn('turn') === 'callerSpeaking' &&
  commands.some(
    ({ type, params }) => type === 'createReply' && !('purpose' in params && params.purpose === 'farewell'),
  )
    ? 'a reply is asked for while the caller speaks'
    : null;

const nobodyHoldsWhileTheCallerSpeaks: Check = (step) =>
  asks(step, 'playHoldingSound') &&
  (!isLive(step.after) || !step.after.hasStream || step.after.placeIn('turn') === 'callerSpeaking')
    ? 'a holding sound for nobody, or over the caller'
    : null;

const replyIsAskedForOnce: Check = ({ commands }) =>
  commands.filter(({ type }) => type === 'createReply').length > 1 ? 'two replies are asked for' : null;

const ofConversation: ReadonlySet<CommandType> = new Set(['openModel', 'createReply', 'runTool']);

/** Tools that ran before a transfer are recovered meanwhile: the caller may come back. */
const endingAsksForNothingNew: Check = ({ after, commands }) =>
  !isLive(after) &&
  commands.some(
    ({ type }) =>
      ofConversation.has(type) || (type === 'recoverTool' && !after.top.startsWith('transferring')),
  )
    ? 'something new is asked for at the end'
    : null;

const redirecting = ['live.carrier.rescuing', 'transferring.redirecting', 'ending.apologising'].map(at);

/** Also: a call that the carrier has ended, and an end that was decided, but for its apology. */
const nobodyElseIsRedirected: Check = (step) =>
  asks(step, 'redirectCall') && !redirecting.some((isThere) => isThere(step.after))
    ? 'redirected for nothing'
    : null;

const endIsTheEnd: Check = ({ before, after, commands }) =>
  before.top === 'ended' && (commands.length > 0 || after.top !== 'ended')
    ? 'something happened after the end'
    : null;

const checks: Record<string, Check> = {
  connecting: entering('live.model.connecting', 'openModel'),
  ready: entering('live.model.ready', 'joinModel'),
  rollingOver: entering('live.model.ready.rollingOver', 'openModel'),
  streaming: entering('live.carrier.streaming', 'joinStream'),
  asking: entering('live.carrier.asking', 'askCarrier'),
  rescuing: entering('live.carrier.rescuing', 'redirectCall'),
  confirming: entering('live.carrier.streaming.confirming', 'confirmMove'),
  moving: entering('live.carrier.moving', 'closeStream'),
  restarting: entering('live.media.restarting', 'closeStream'),
  callerSpeaking: entering('live.turn.callerSpeaking', 'interruptReply'),
  requested: entering('live.farewell.requested', 'createReply'),
  owed: entering('live.farewell.owed', 'createReply'),
  overtime: entering('live.farewell.overtime', 'createReply'),
  transferring: entering('transferring', 'closeModel'),
  redirecting: entering('transferring.redirecting', 'redirectCall'),
  ending: entering('ending', 'closeModel'),
  apologising: entering('ending.apologising', 'redirectCall'),
  hangingUp: entering('ending.hangingUp', 'hangUp'),
  concluding: entering('ending.concluding', 'concludeCall'),
  keepsToolsAndRegionTogether,
  keepsSessionAndRegionTogether,
  keepsStreamAndRegionTogether,
  callerSpeakingIsAnOpenTurn,
  nobodyTalksOverTheCaller,
  nobodyHoldsWhileTheCallerSpeaks,
  replyIsAskedForOnce,
  endingAsksForNothingNew,
  nobodyElseIsRedirected,
  endIsTheEnd,
};

const named = Object.entries(checks).map(([name, check]) => ({ name, check }));

/** The first promise that the step breaks, and how; null where it keeps all. */
export function brokenBy(step: Step): string | null {
  for (const { name, check } of named) {
    const fault = check(step);
    if (fault !== null) return `${name}: ${fault}`;
  }
  return null;
}

export function viewOf({ snapshot }: CallState): View {
  const { context } = snapshot;
  const { top, regions } = placesOf(snapshot.status === 'active' ? snapshot.value : 'ended');
  return {
    top,
    placeIn: (region) => regions[region] ?? '',
    hasStream: context.stream.id !== null,
    hasSession: context.model.sessionId !== null,
    openTools: context.tools.length,
    callerTurnOpen: context.callerTurnOpen,
  };
}

/** M2: plain JSON, and no more of it however long the call. */
export function checkContext({ snapshot: { context } }: CallState): void {
  const text = JSON.stringify(context);
  expect(JSON.parse(text)).toStrictEqual(context);
  expect(text.length).toBeLessThan(2_200);
}

const isEnd = ({ type, ...rest }: Move['fact']): boolean =>
  type === 'carrier.reported' && 'status' in rest && rest.status === 'completed';

/** What only a real state can tell. */
function faultOf({ fact, after }: Move): string | null {
  const view = viewOf(after);
  if (view.top === 'ended') return after.due.size > 0 ? 'an ended call waits' : null;
  if (isEnd(fact) && view.top !== 'ending.concluding') return 'the carrier ended the call, and it goes on';
  if (view.top.startsWith('ending') && after.snapshot.context.endReason === null)
    return 'no reason for the end';
  return after.due.size === 0 && view.top !== 'ending.concluding' ? 'nothing is waited for' : null;
}

/** @throws Error naming the promise that the step broke, and how */
export function checkPromises(move: Move): void {
  const step = { before: viewOf(move.before), after: viewOf(move.after), commands: move.commands };
  const fault = brokenBy(step) ?? faultOf(move);
  if (fault !== null) throw new Error(`${fault}; ${inWords(move)}`);
}

const inWords = ({ before, fact, after, commands }: Move): string =>
  [
    `${JSON.stringify(fact)} led from ${JSON.stringify(before.snapshot.value)}`,
    `to ${JSON.stringify(after.snapshot.value)} with ${JSON.stringify(commands)}`,
    `and ${JSON.stringify(after.snapshot.context)}`,
  ].join(' ');

/** What the process had is gone with it. */
const isTakenFrom = ({ snapshot }: CallState, fact: Move['fact']): boolean =>
  fact.type === 'owner.claimed' && (fact.why === 'orphan' || fact.instance !== snapshot.context.instance);

const takingOver = new Set(['ready.rollingOver', 'ready.standingBy', 'ready.overdue']);

/** The model sessions that a call has open: two at most, and two only while one takes over. */
export class OpenSessions {
  #generations = new Set<number>();

  /** @throws Error where there are too many */
  follow({ before, fact, after, commands }: Move): void {
    if (isTakenFrom(before, fact)) this.#generations.clear();
    if (fact.type === 'model.closed') this.#generations.delete(fact.generation);
    for (const { type, params } of commands) {
      if (!('generation' in params)) continue;
      if (type === 'openModel') this.#generations.add(params.generation);
      if (type === 'closeModel') this.#generations.delete(params.generation);
    }
    const view = viewOf(after);
    const isTakingOver = view.top === 'live' && takingOver.has(view.placeIn('model'));
    const most = isTakingOver ? 2 : view.top === 'live' ? 1 : 0;
    if (this.#generations.size > most) {
      throw new Error(
        `sessions ${[...this.#generations]} are open in ${JSON.stringify(after.snapshot.value)}`,
      );
    }
  }
}
