/**
 * The calls that each version writes down for ever: every kind of entry, and calls that were still live at the moments
 * at which another version may have to take them over.
 */
import { callerScript, frontDeskScript } from '../../src/demo/scenario.ts';
import type { Draft } from '../../src/machines/entries.ts';
import type { ObservedStep } from '../../src/runtime/call.ts';
import { Registry } from '../../src/runtime/registry.ts';
import { freeze } from '../../src/runtime/step.ts';
import type { Script } from '../../src/twin/openai/script.ts';
import { scriptedBrain } from '../../src/twin/openai/scripted-brain.ts';
import type { CallPlan } from '../../src/twin/twilio/call/call-order.ts';
import { World, type WorldOptions } from '../simulation/world.ts';
import type { FrozenState, RecordedCommit, Recording } from './recording.ts';

export interface Story {
  name: string;
  story: string;
  options?: Partial<WorldOptions>;
  plan?: CallPlan;
  /** What is done besides, once the call was placed. */
  meanwhile?(world: World, callId: string): Promise<void>;
  /** The log is cut after the first commit that left the call so: it was live then. */
  until?(value: string): boolean;
}

const hangsUp = (delayMs: number) => ({ hangUp: true, when: { delayMs } }) as const;
const quiet: CallPlan = { script: [{ wait: 6_000 }, hangsUp(0)] };
const asksForBike: CallPlan = { script: [{ say: 'bike-ready', after: 'agentSilent' }, hangsUp(9_000)] };
const interrupts: CallPlan = {
  script: [{ say: 'how-much', after: { agentSpokeMs: 1_500 } }, hangsUp(8_000)],
};
const saysGoodbye: CallPlan = { script: [{ say: 'goodbye', after: 'agentSilent' }] };
const goodbyes = frontDeskScript.turns?.slice(-1) ?? [];
const goodbyeBrain = scriptedBrain({ ...frontDeskScript, turns: goodbyes });
const silentGoodbye: Script = {
  ...frontDeskScript,
  turns: goodbyes.map((turn) => ({ ...turn, reply: { ...turn.reply, say: [] } })),
};

/** Signals put to the call as another process or an operator would, `afterMs` into it. */
const later =
  (afterMs: number, ...drafts: Draft[]) =>
  async (world: World, callId: string): Promise<void> => {
    await world.clock.advance(afterMs);
    for (const entry of drafts)
      await world.assembly.registry.deliver(callId, { entry }, `${afterMs}:${entry.type}`);
  };

/** Nobody has answered yet, as with a call that is placed from here. */
async function nobodyAnswers({ assembly: { registry } }: World): Promise<void> {
  const create = registry.create.bind(registry);
  registry.create = (callId, created) => create(callId, created, []);
}

/** The process dies without a word, and another one takes the call over from its log. */
async function adopt(world: World, callId: string): Promise<void> {
  await world.clock.advance(4_000);
  for (const call of world.assembly.registry.calls()) call.stop();
  world.assembly.registry.stop();
  world.assembly.live.releaseAll();
  const ignore = (): void => undefined;
  const other = new Registry('two', world.journal, {
    clock: world.clock,
    perform: ignore,
    observe: (step: ObservedStep) => void world.steps.push(step),
    lost: ignore,
    over: ignore,
    refused: ignore,
  });
  const call = await other.claim(callId, { why: 'orphan' }, []);
  const generation = call?.state.snapshot.context.model.generation ?? 0;
  const facts: Draft[] = [
    { type: 'model.opened', generation, sessionId: 'session-of-two', expiresAt: null },
    { type: 'owner.claimed', instance: 'two', why: 'stream', attempt: 2 },
    { type: 'stream.started', streamId: 'stream-of-two', attempt: 2 },
    { type: 'reply.started', replyId: 'reply-of-two' },
    { type: 'reply.voiced', replyId: 'reply-of-two', itemId: 'item-of-two' },
    { type: 'carrier.reported', status: 'completed', source: 'fetch' },
    { type: 'call.ended', reason: 'caller.hungUp' },
  ];
  for (const entry of facts) {
    call?.signal({ entry });
    await world.clock.advance(700);
  }
  other.stop();
}

const including = (state: string) => (value: string) => value.includes(state);

export const stories: readonly Story[] = [
  {
    name: 'whole-conversation',
    story:
      'A question with a tool, an interruption, another question, and the agent hangs up after its goodbye.',
    plan: { script: callerScript },
  },
  { name: 'quiet', story: 'The agent greets, the caller says nothing and hangs up.', plan: quiet },
  { name: 'barge-in', story: 'The caller talks over the greeting.', plan: interrupts },
  { name: 'tool', story: 'The caller asks, a tool answers.', plan: asksForBike },
  {
    name: 'agent-hangs-up',
    story: 'The caller says goodbye, and so does the agent.',
    options: { brain: goodbyeBrain },
    plan: saysGoodbye,
  },
  {
    name: 'operator-hangs-up',
    story: 'An operator ends the call: the caller hears a goodbye.',
    plan: quiet,
    meanwhile: later(3_000, { type: 'hangUp.requested', by: 'operator' }),
  },
  {
    name: 'too-long',
    story: 'The call lasts longer than it may.',
    options: { settings: { longestCallMs: 4_000 } },
    plan: { script: [{ wait: 60_000 }] },
  },
  {
    name: 'digits-and-refusals',
    story: 'A key is pressed, something of no meaning comes, the carrier is asked and does not answer.',
    plan: quiet,
    meanwhile: later(
      3_000,
      { type: 'digit.pressed', digit: { bytes: 1 } },
      { type: 'input.refused', peer: 'carrier', kind: 'unknownEvent' },
      { type: 'media.resumed', streamId: 'another' },
      { type: 'carrier.unreachable', cause: 'timed out' },
    ),
  },
  {
    name: 'journal-lost',
    story: 'The journal stalls for too long: the caller hears an apology.',
    plan: quiet,
    meanwhile: later(3_000, { type: 'journal.lost', queuedEntries: 1_001, stalledMs: 2_000 }),
  },
  {
    name: 'model-lost',
    story: 'The model session drops in the middle of a reply, and another one goes on.',
    options: {
      modelFaults: (connection) => (connection === 0 ? [{ kind: 'drop', when: { afterMs: 2_500 } }] : []),
    },
    plan: { script: [{ wait: 9_000 }, hangsUp(0)] },
  },
  {
    name: 'model-refused',
    story: 'The model refuses the key: the caller hears an apology.',
    options: { modelFaults: () => [{ kind: 'refuseUpgrade', status: 401 }] },
    plan: quiet,
  },
  {
    name: 'model-unavailable',
    story: 'The model is not to be had, however often it is tried.',
    options: { modelFaults: () => [{ kind: 'refuseUpgrade', status: 503 }] },
    plan: { script: [{ wait: 60_000 }] },
  },
  {
    name: 'stream-lost-and-back',
    story: 'The media stream is reset, Twilio brings another one, and the reply goes on.',
    plan: {
      script: [{ wait: 9_000 }, hangsUp(0)],
      faults: { streams: [{ fault: 'reset', afterMs: 2_500, stream: 1 }] },
    },
  },
  {
    name: 'stream-starved',
    story: 'The media stream looks alive and brings nothing: it is closed, and another one comes.',
    plan: {
      script: [{ wait: 30_000 }, hangsUp(0)],
      faults: { streams: [{ fault: 'mediaGap', afterMs: 3_000, stream: 1, forMs: 20_000, audio: 'lost' }] },
    },
  },
  {
    name: 'stream-lost-for-good',
    story: 'The carrier tells nobody of the end: it is asked, and says that the caller has hung up.',
    options: { withoutStatusCallback: true },
    plan: quiet,
  },
  {
    name: 'adopted',
    story:
      'The process dies while the agent speaks; another one takes the call over and brings it to its end.',
    plan: { script: [{ say: 'bike-ready', after: 'agentSilent' }, hangsUp(60_000)] },
    meanwhile: adopt,
  },
  {
    name: 'live-ringing',
    story: 'Live: nobody has answered.',
    meanwhile: nobodyAnswers,
    until: (value) => value === '"ringing"',
  },
  { name: 'live-awaiting-stream', story: 'Live: no stream yet.', until: including('awaitingStream') },
  { name: 'live-agent-speaking', story: 'Live: the agent speaks.', until: including('agentSpeaking') },
  {
    name: 'live-caller-speaking',
    story: 'Live: the caller speaks.',
    plan: interrupts,
    until: including('callerSpeaking'),
  },
  {
    name: 'live-tool-running',
    story: 'Live: a tool runs.',
    plan: asksForBike,
    until: including('"tools":"running"'),
  },
  {
    name: 'live-farewell-announced',
    story: 'Live: the agent has asked to hang up.',
    options: { brain: goodbyeBrain },
    plan: saysGoodbye,
    until: including('"farewell":"announced"'),
  },
  {
    name: 'live-farewell-requested',
    story: 'Live: the agent has asked to hang up without a word, and is asked for one.',
    options: { brain: scriptedBrain(silentGoodbye) },
    plan: saysGoodbye,
    until: including('"farewell":"requested"'),
  },
  {
    name: 'live-farewell-owed',
    story: 'Live: an operator has ended the call, and the goodbye is to be said.',
    plan: quiet,
    meanwhile: later(3_000, { type: 'hangUp.requested', by: 'operator' }),
    until: including('"farewell":"owed"'),
  },
  {
    name: 'live-model-backing-off',
    story: 'Live: the model session is lost, the next one not opened yet.',
    options: { modelFaults: () => [{ kind: 'drop', when: { afterMs: 2_500 } }] },
    until: including('backingOff'),
  },
  {
    name: 'live-stream-lost',
    story: 'Live: the media stream is lost, the next one not there yet.',
    plan: {
      script: [{ wait: 9_000 }, hangsUp(0)],
      faults: { streams: [{ fault: 'reset', afterMs: 2_500, stream: 1 }] },
    },
    until: including('"carrier":"lost"'),
  },
  {
    name: 'live-ending',
    story: 'Live: the end is decided, the carrier has not confirmed it.',
    options: { settings: { longestCallMs: 4_000 } },
    plan: { script: [{ wait: 60_000 }] },
    until: including('hangingUp'),
  },
];

export async function tell({ name, story, options, plan = quiet, meanwhile, until }: Story, version: string) {
  const world = await World.open({ brain: scriptedBrain(frontDeskScript), ...options });
  const call = world.place(plan);
  await meanwhile?.(world, call.sid);
  if (name !== 'adopted') await world.finish(call);
  const commits = await recordedCommits(world, call.sid);
  await world.close();
  const last = until ? commits.findIndex(({ state }) => until(JSON.stringify(state))) : commits.length - 1;
  if (last < 0) throw new Error(`${name}: the call was never so`);
  return { version, name, story, callId: call.sid, commits: commits.slice(0, last + 1) } satisfies Recording;
}

async function recordedCommits(world: World, callId: string): Promise<RecordedCommit[]> {
  const { commits } = await world.journal.read(callId, { fromStart: true });
  const payloads = await world.journal.readPayloads(callId);
  return commits.map(({ entries, state }) => {
    const seqs = new Set(entries.map(({ seq }) => seq));
    return {
      // Random for each call, and nothing is decided by it.
      entries: entries.map((entry) => ('traceId' in entry ? { ...entry, traceId: '0'.repeat(32) } : entry)),
      payloads: payloads.filter(({ seq }) => seqs.has(seq)),
      state,
      frozen: liveAfter(world, callId, entries.at(-1)?.seq),
    };
  });
}

/** The state that was live, not one that was folded from what is recorded. */
function liveAfter(world: World, callId: string, seq: number | undefined): FrozenState {
  const step = world.steps.findLast(({ call, entry }) => call.callId === callId && entry.seq === seq);
  if (!step) throw new Error(`entry ${seq} was never live`);
  return freeze(step.after) as FrozenState;
}
