/** A definition that failed, asked again for several tools at once. */
import { expect, it } from 'vitest';
import type { ResumedAgent } from '../../src/agent/resolve.ts';
import { RetriedAgent } from '../../src/agent/retried-agent.ts';
import { FixCallError } from '../../src/runtime/ports/errors.ts';

const broken = { fault: new FixCallError('agent.invalid', 'no directory') } as ResumedAgent;
const whole = { fault: null } as ResumedAgent;

function retried() {
  const asked: { signal: AbortSignal; answer(agent: ResumedAgent): void }[] = [];
  const agent = new RetriedAgent(broken, {
    ask: (signal) =>
      new Promise((resolve) => {
        asked.push({ signal, answer: resolve });
        signal.addEventListener('abort', () => resolve(broken));
      }),
    onFault: () => undefined,
  });
  return { agent, asked };
}

it('is asked once, and goes on for the others when one is released', async () => {
  const { agent, asked } = retried();
  const [one, other] = [new AbortController(), new AbortController()];
  const first = agent.whole(one.signal);
  const second = agent.whole(other.signal);
  one.abort();
  expect(asked).toHaveLength(1);
  expect(asked[0]?.signal.aborted).toBe(false);
  asked[0]?.answer(whole);
  expect([await first, await second]).toEqual([whole, whole]);
});

it('is given up with the last that waits, and asked again by the next', async () => {
  const { agent, asked } = retried();
  const [one, other] = [new AbortController(), new AbortController()];
  const both = [agent.whole(one.signal), agent.whole(other.signal)];
  one.abort();
  other.abort();
  expect(asked[0]?.signal.aborted).toBe(true);
  expect(await Promise.all(both)).toEqual([broken, broken]);
  const next = agent.whole(new AbortController().signal);
  asked[1]?.answer(whole);
  expect(await next).toBe(whole);
});

it('does not give whoever comes as the asking is given up what came of that one', async () => {
  const { agent, asked } = retried();
  const one = new AbortController();
  const first = agent.whole(one.signal);
  one.abort();
  const next = agent.whole(new AbortController().signal);
  expect(await first).toBe(broken);
  expect(asked).toHaveLength(2);
  asked[1]?.answer(whole);
  expect(await next).toBe(whole);
});
