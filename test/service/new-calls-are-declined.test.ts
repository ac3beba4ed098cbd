/** A new call that cannot be served is not taken: why, what its caller hears, and that known calls go on all the same. */
import { describe, expect, it } from 'vitest';
import { firstTime } from '../../src/adapters/twilio/continuation.ts';
import { FrontDesk } from '../../src/adapters/twilio/front-desk.ts';
import { Tally } from '../../src/adapters/twilio/tally.ts';
import { referTo } from '../../src/runtime/ports/signal.ts';
import { type DeclineCause, mostPasses } from '../../src/service/health/admission.ts';
import { Capacity } from '../../src/service/health/capacity.ts';
import { countConversations } from '../../src/service/health/conversations.ts';
import { LookFailed } from '../../src/service/health/dependency.ts';
import type { HealthOptions } from '../../src/service/health/health.ts';
import { paces } from '../../src/service/health/paces.ts';
import { standingOf } from '../../src/service/health/standing.ts';
import {
  callerNumber,
  callSid,
  incoming,
  type Process,
  type ProcessOptions,
  Rig,
  shopNumber,
} from './rig.ts';
import { WatchedService } from './support/watched-service.ts';

const helper = '+15550111';

/** A process whose new calls are decided over by the health of a service. Their clocks are two. */
function withAdmission(options: Partial<HealthOptions> = {}, processOptions: ProcessOptions = {}) {
  const rig = new Rig();
  const process = rig.open('one', processOptions);
  const service = new WatchedService(options);
  process.desk.admitBy(service.health.admission);
  return { rig, process, service };
}

async function loseModel({ clock, farSides, health }: WatchedService): Promise<void> {
  farSides.model.fails(new LookFailed('gone', 'the model is gone'));
  health.start();
  await clock.advance(3 * paces.model.retryMs);
}

const fallback = (number: string | null, url: string | null = null) => ({ fallback: { number, url } });

describe('a new call', () => {
  it.each<[DeclineCause, (service: WatchedService) => unknown]>([
    ['starting', (service) => Object.assign(service, { notReady: 'starting' })],
    ['draining', (service) => Object.assign(service, { notReady: 'draining' })],
    ['journal', (service) => Object.assign(service, { stalledMs: 1_000 })],
    ['model', loseModel],
    ['full', (service) => Object.assign(service, { isFull: true })],
  ])('is declined for the cause %s, is counted, and leaves nothing', async (cause, bringAbout) => {
    const { rig, process, service } = withAdmission();
    await bringAbout(service);
    expect(service.health.refusal).toBe(cause);
    expect(service.health.isReady).toBe(cause !== 'starting' && cause !== 'draining');
    expect(await process.answer()).toEqual({ do: 'decline' });
    expect(service.declined).toEqual([cause]);
    expect(await process.types()).toEqual([]);
    expect(process.model.sessions).toEqual([]);
    await rig.expectNothingLeft();
  });

  it('whose agent fails is declined, the error is logged, and the next call is taken', async () => {
    const rig = new Rig();
    const agent = rig.agent.load(({ callId }) => {
      if (callId === callSid(1)) throw new Error('the directory of tenants is down');
      return { name: 'clerk', instructions: 'Help.', greeting: 'Hello.' };
    });
    const process = rig.open('one', { agent });
    const service = new WatchedService(fallback(helper));
    process.desk.admitBy(service.health.admission);
    expect(await process.answer(callSid(1))).toMatchObject({
      do: 'transfer',
      number: helper,
      apology: 'agentUnavailable',
    });
    expect(service.declined).toEqual(['agent']);
    expect(service.logged.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warn', cause: 'agent', callId: callSid(1), err: { code: 'agent.invalid' } },
    ]);
    expect(await process.answer(callSid(2))).toMatchObject({ do: 'connect' });
  });

  it('for which the journal does not answer is declined after a second', async () => {
    const never = () => new Promise<never>(() => undefined);
    const { rig, process, service } = withAdmission(
      {},
      { wrapJournal: (journal) => Object.assign(journal, { read: never }) },
    );
    const answer = process.answer();
    await rig.clock.advance(1_000);
    expect(await answer).toEqual({ do: 'decline' });
    expect(service.declined).toEqual(['journal']);
  });

  it('is taken again as soon as its cause is gone', async () => {
    const { process, service } = withAdmission();
    await loseModel(service);
    expect(await process.answer(callSid(1))).toEqual({ do: 'decline' });
    service.farSides.model.works();
    await service.clock.advance(paces.model.retryMs);
    expect(await process.answer(callSid(1))).toMatchObject({ do: 'connect' });
  });
});

describe('a new call that can come in again', () => {
  const comesIn = ({ desk }: Process) => desk.answerCall(incoming(), true);
  const putOff = { do: 'decline', againAfterMs: 1_000 };

  it('is put off while the process starts, counted nowhere, and taken as soon as it is ready', async () => {
    const { rig, process, service } = withAdmission(fallback(helper, 'https://static.example'));
    service.notReady = 'starting';
    expect(await comesIn(process)).toEqual(putOff);
    expect(service.declined).toEqual([]);
    await rig.expectNothingLeft();
    service.notReady = null;
    expect(await comesIn(process)).toMatchObject({ do: 'connect' });
  });

  it('is put off while the process drains and another one is there or may be, else declined', async () => {
    let mayHaveCompany = true;
    const { process, service } = withAdmission({ mayHaveCompany: () => mayHaveCompany });
    service.notReady = 'draining';
    expect(await comesIn(process)).toEqual(putOff);
    mayHaveCompany = false;
    expect(await comesIn(process)).toEqual({ do: 'decline' });
    expect(service.declined).toEqual(['draining']);
  });

  it('is declined for any other cause, for nobody will take it in a moment', async () => {
    const { process, service } = withAdmission({ mayHaveCompany: () => true });
    service.isFull = true;
    expect(await comesIn(process)).toEqual({ do: 'decline' });
  });
});

describe('calls that come at once', () => {
  it('are not more than the limit, however long their agents take to be ready', async () => {
    const rig = new Rig();
    const process = rig.open('one');
    const capacity = new Capacity({ limit: 3, liveCalls: () => countConversations(process.assembly) });
    const service = new WatchedService({ capacity });
    process.desk.admitBy(service.health.admission);
    const answers = await Promise.all([1, 2, 3, 4, 5].map((call) => process.answer(callSid(call))));
    expect(answers.map((answer) => answer.do).sort()).toEqual([
      'connect',
      'connect',
      'connect',
      'decline',
      'decline',
    ]);
    expect(capacity.usedRatio).toBe(1);
    expect(service.declined).toEqual(['full', 'full']);
  });
});

describe('a caller who was put through', () => {
  const isTaken = async (process: Process, call: number): Promise<boolean> =>
    (await process.answer(callSid(call))).do === 'connect';

  it('takes no room while somebody else talks to him, and does again when he comes back', async () => {
    const rig = new Rig();
    const process = rig.open('one', { settings: { starvedMs: 3_600_000 } });
    const capacity = new Capacity({ limit: 1, liveCalls: () => countConversations(process.assembly) });
    const service = new WatchedService({ capacity });
    process.desk.admitBy(service.health.admission);
    await process.begin();
    expect(await isTaken(process, 2)).toBe(false);

    const requested = {
      entry: {
        type: 'transfer.requested',
        by: 'operator',
        destination: referTo(helper),
        toolCallId: null,
      },
      payloads: { destination: helper },
    } as const;
    await process.desk.report(callSid(), requested, 'transfer');
    await rig.clock.advance(1_000);
    expect(process.value()).toEqual({ transferring: 'dialing' });
    expect(capacity.usedRatio).toBe(0);
    expect(await isTaken(process, 3)).toBe(true);
    expect(await isTaken(process, 4)).toBe(false);

    const outcome = { entry: { type: 'transfer.finished', outcome: 'busy' } } as const;
    await process.desk.report(callSid(), outcome, 'dialed');
    await rig.settle();
    expect(await process.askNext()).toMatchObject({ do: 'connect' });
    expect(capacity.usedRatio).toBe(2);
  });
});

describe('a new call that another process may take', () => {
  const passes = (call: number, { health }: WatchedService) => health.admission.passesOn(callSid(call));

  it('is passed on while this one takes none, and answered when it comes back again and again', () => {
    const passedOn: DeclineCause[] = [];
    const { service } = withAdmission({ onPassedOn: (cause) => passedOn.push(cause) });
    expect(passes(1, service)).toBe(false);
    service.isFull = true;
    for (let visit = 0; visit < mostPasses; visit++) expect(passes(1, service)).toBe(true);
    expect(passes(1, service)).toBe(false);
    service.notReady = 'draining';
    expect(passes(2, service)).toBe(true);
    expect(passedOn).toEqual(['full', 'full', 'draining']);
    expect(service.declined).toEqual([]);
  });

  it('is forgotten once a thousand others were passed on', () => {
    const { service } = withAdmission();
    service.isFull = true;
    for (let call = 0; call < 1_000; call++)
      for (let visit = 0; visit < mostPasses; visit++) passes(call, service);
    expect(passes(0, service)).toBe(false);
    passes(1_000, service);
    expect(passes(0, service)).toBe(true);
  });
});

describe('a balancer', () => {
  it('is told whether a new call would be taken, why not, and how full the process is', () => {
    const { service } = withAdmission();
    expect(standingOf(service.health)).toEqual({ 'holdfast-admission': 'open', 'holdfast-load': '0.00' });
    service.isFull = true;
    expect(standingOf(service.health)).toEqual({ 'holdfast-admission': 'full', 'holdfast-load': '1.00' });
    service.stalledMs = 5_000;
    expect(standingOf(service.health)).toMatchObject({ 'holdfast-admission': 'journal' });
  });

  it('is told no load by a process without a limit, which is never full', () => {
    const capacity = new Capacity({ limit: null, liveCalls: () => 1_000_000 });
    const { service } = withAdmission({ capacity });
    expect(standingOf(service.health)).toEqual({ 'holdfast-admission': 'open' });
  });
});

describe('a call that is known', () => {
  it('is answered as its log says, whatever is down', async () => {
    const { rig, process, service } = withAdmission(fallback(helper));
    const { line } = await process.begin();
    await loseModel(service);
    service.isFull = true;
    service.stalledMs = 5_000;
    expect(await process.answer(callSid(2))).toMatchObject({ do: 'transfer' });
    line.drops();
    await rig.settle();
    expect(await process.askNext()).toMatchObject({ do: 'connect', attempt: 2 });
    expect(await process.answer()).toMatchObject({ do: 'connect', attempt: 2 });
    expect(service.declined).toEqual(['journal']);
  });
});

describe('the caller of a declined call', () => {
  const cases: [DeclineCause, string | null, string | null, object][] = [
    ['model', helper, null, { do: 'transfer', number: helper, apology: 'agentUnavailable' }],
    ['full', helper, 'https://static.example', { do: 'transfer', number: helper, apology: 'trouble' }],
    ['draining', helper, null, { do: 'transfer', number: helper, apology: 'trouble' }],
    ['draining', helper, 'https://static.example', { do: 'decline' }],
    ['model', null, 'https://static.example', { do: 'decline' }],
  ];
  it.each(cases)('%s, number %s, fallback %s: hears %o', async (cause, number, url, expected) => {
    const { process, service } = withAdmission(fallback(number, url));
    if (cause === 'model') await loseModel(service);
    if (cause === 'full') service.isFull = true;
    if (cause === 'draining') service.notReady = 'draining';
    expect(await process.answer()).toMatchObject(expected);
  });

  /** Twilio's side of it, as the webhooks see it. */
  async function askAsTwilio(process: Process, service: WatchedService) {
    const { clock } = service;
    const tally = new Tally(clock, () => undefined);
    const front = new FrontDesk({ desk: process.desk, clock, tally, fallbackUrl: null });
    const fields = {
      CallSid: callSid(),
      From: callerNumber,
      To: shopNumber,
      CallStatus: 'in-progress' as const,
    };
    return { front, fields };
  }

  it('who finds nobody at the number is not put through again, and hears in the end that all are busy', async () => {
    const { process, service } = withAdmission(fallback(helper));
    service.isFull = true;
    const { front, fields } = await askAsTwilio(process, service);
    expect(await front.answer(fields)).toMatchObject({ do: 'transfer' });
    const dialed = { outcome: 'no-answer', dialId: 'CA-leg' } as const;
    await service.clock.advance(30_000);
    expect(await front.takeDial(fields, dialed)).toEqual({ do: 'wait', pauseMs: 1_000 });
    expect(await front.continue(fields, { ...firstTime, waits: 1, dialed }, 'key')).toEqual({
      do: 'decline',
    });
    expect(service.declined).toEqual(['full']);
  });

  it('gets the same answer where Twilio did not get the first, and is counted once', async () => {
    const { process, service } = withAdmission(fallback(helper));
    service.isFull = true;
    const first = await process.answer();
    await service.clock.advance(5_000);
    expect(await process.answer()).toEqual(first);
    expect(service.declined).toEqual(['full']);
  });

  it('is forgotten once a thousand others were declined', async () => {
    const { service } = withAdmission();
    const { admission } = service.health;
    const decline = (call: number) => admission.decline(callSid(call), 'full', null);
    for (let call = 0; call < 1_000; call++) decline(call);
    decline(0);
    expect(service.declined).toHaveLength(1_000);
    decline(1_000);
    decline(0);
    expect(service.declined).toHaveLength(1_002);
  });
});
