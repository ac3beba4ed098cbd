/** What holds for every single step of a call, whatever the facts. Each promise says what is wrong, or null. */
import { expect } from 'vitest';
import type { CommandType } from '../../../src/machines/commands.ts';
import type { CallState } from '../../../src/runtime/step.ts';
import { isOver, type Move } from './walk.ts';

type Check = (move: Move) => string | null;

const asks = ({ commands }: Move, type: CommandType): boolean =>
  commands.some((command) => command.type === type);
const isIn = ({ snapshot }: CallState, place: Parameters<typeof snapshot.matches>[0]): boolean =>
  snapshot.matches(place);
const isLive = (state: CallState): boolean => isIn(state, 'live');

/** Whoever enters the state has what it waits for asked for. */
const entering =
  (place: Parameters<typeof isIn>[1], command: CommandType): Check =>
  (move) =>
    !isIn(move.before, place) && isIn(move.after, place) && !asks(move, command)
      ? `entered without ${command}`
      : null;

const keepsToolsAndRegionTogether: Check = ({ after }) =>
  isLive(after) && isIn(after, { live: { tools: 'running' } }) !== after.snapshot.context.tools.length > 0
    ? 'open tool calls and the tools region disagree'
    : null;

const keepsSessionAndRegionTogether: Check = ({ after }) =>
  isLive(after) &&
  isIn(after, { live: { model: 'ready' } }) !== (after.snapshot.context.model.sessionId !== null)
    ? 'session and the model region disagree'
    : null;

const keepsStreamAndRegionTogether: Check = ({ after }) =>
  isLive(after) &&
  isIn(after, { live: { carrier: 'streaming' } }) !== (after.snapshot.context.stream.id !== null)
    ? 'stream and the carrier region disagree'
    : null;

const callerSpeakingIsAnOpenTurn: Check = ({ after }) =>
  isIn(after, { live: { turn: 'callerSpeaking' } }) && !after.snapshot.context.callerTurnOpen
    ? 'the caller speaks and no turn is open'
    : null;

/** But for a goodbye that must be said. */
const nobodyTalksOverTheCaller: Check = ({ after, commands }) =>
  isIn(after, { live: { turn: 'callerSpeaking' } }) &&
  commands.some(
    ({ type, params }) => type === 'createReply' && 'purpose' in params && params.purpose !== 'farewell',
  )
    ? 'a reply is asked for while the caller speaks'
    : null;

const replyIsAskedForOnce: Check = ({ commands }) =>
  commands.filter(({ type }) => type === 'createReply').length > 1 ? 'two replies are asked for' : null;

const endingAsksForNothingNew: Check = (move) =>
  !isLive(move.after) &&
  move.commands.some(({ type }) => ['openModel', 'createReply', 'runTool', 'recoverTool'].includes(type))
    ? 'something new is asked for at the end'
    : null;

const endIsTheEnd: Check = ({ before, after, commands }) =>
  isOver(before) && (commands.length > 0 || after.due.size > 0 || after.snapshot !== before.snapshot)
    ? 'something happened after the end'
    : null;

const endHasAReason: Check = ({ after }) =>
  after.snapshot.hasTag('ending') && after.snapshot.context.endReason === null
    ? 'an end without a reason'
    : null;

const everyWaitHasALimit: Check = ({ after }) =>
  !isOver(after) && after.due.size === 0 && !isIn(after, { ending: 'concluding' })
    ? 'nothing is waited for'
    : null;

const promises: Record<string, Check> = {
  connecting: entering({ live: { model: 'connecting' } }, 'openModel'),
  ready: entering({ live: { model: 'ready' } }, 'joinModel'),
  streaming: entering({ live: { carrier: 'streaming' } }, 'joinStream'),
  asking: entering({ live: { carrier: 'asking' } }, 'askCarrier'),
  restarting: entering({ live: { media: 'restarting' } }, 'closeStream'),
  callerSpeaking: entering({ live: { turn: 'callerSpeaking' } }, 'interruptReply'),
  ending: entering('ending', 'closeModel'),
  apologising: entering({ ending: 'apologising' }, 'closeStream'),
  hangingUp: entering({ ending: 'hangingUp' }, 'hangUp'),
  concluding: entering({ ending: 'concluding' }, 'concludeCall'),
  keepsToolsAndRegionTogether,
  keepsSessionAndRegionTogether,
  keepsStreamAndRegionTogether,
  callerSpeakingIsAnOpenTurn,
  nobodyTalksOverTheCaller,
  replyIsAskedForOnce,
  endingAsksForNothingNew,
  endIsTheEnd,
  endHasAReason,
  everyWaitHasALimit,
};

/** M2: plain JSON, and no more of it however long the call. */
export function checkContext({ snapshot: { context } }: CallState): void {
  const text = JSON.stringify(context);
  expect(JSON.parse(text)).toStrictEqual(context);
  expect(text.length).toBeLessThan(2_000);
}

/** @throws Error naming the promise that the step broke, and how */
export function checkPromises(move: Move): void {
  for (const [name, promise] of Object.entries(promises)) {
    const fault = promise(move);
    if (fault !== null) throw new Error(`${name}: ${fault}; ${inWords(move)}`);
  }
}

const inWords = ({ before, fact, after, commands }: Move): string =>
  [
    `${JSON.stringify(fact)} led from ${JSON.stringify(before.snapshot.value)}`,
    `to ${JSON.stringify(after.snapshot.value)} with ${JSON.stringify(commands)}`,
    `and ${JSON.stringify(after.snapshot.context)}`,
  ].join(' ');
