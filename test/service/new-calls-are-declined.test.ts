/** A new call that cannot be served is not taken: why, what its caller hears, and that known calls go on all the same. */
import { describe, expect, it } from 'vitest';
import { FrontDesk } from '../../src/adapters/twilio/front-desk.ts';
import { Tally } from '../../src/adapters/twilio/tally.ts';
import type { DeclineCause } from '../../src/service/health/admission.ts';
import { LookFailed } from '../../src/service/health/dependency.ts';
import type { HealthOptions } from '../../src/service/health/health.ts';
import { paces } from '../../src/service/health/paces.ts';
import { callerNumber, callSid, type Process, type ProcessOptions, Rig, shopNumber } from './rig.ts';
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
    expect(await front.continue(fields, { waits: 1, dialed }, 'key')).toEqual({ do: 'decline' });
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
