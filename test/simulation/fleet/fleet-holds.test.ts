/** A small fleet under each kind of trouble once: no call is lost, none is adopted wrongly, and nobody waits for long. */
import { describe, expect, it } from 'vitest';
import { sharedPulse } from '../../../src/service/pulse.ts';
import { Fleet, type FleetVerdict } from './fleet.ts';
import { planInWords, summaryOf, verdictInWords } from './fleet-words.ts';
import { planFor } from './plan.ts';

const size = { seed: 3, instances: 4, calls: 28 } as const;
const longestTestMs = 180_000;

const claimsOf = ({ blows }: FleetVerdict, name: string): number[] =>
  blows.filter((blow) => blow.name === name).flatMap(({ claimedMs }) => claimedMs);

describe('a fleet', () => {
  it(
    'keeps every call through kills, freezes, partitions, an outage and a replacement of all',
    async () => {
      const verdict = await Fleet.play(planFor(size));
      const { lost, wrong, violations, completed, declined, blows } = verdict;
      expect({ lost, wrong, violations }).toEqual({ lost: [], wrong: [], violations: [] });
      expect(completed + declined).toBe(size.calls);
      expect(declined).toBeLessThanOrEqual(2);

      // A stream that broke comes back by itself, before anybody adopts its call.
      const { missedAfterMs, silentAfterMs, beatEveryMs, graceMs } = sharedPulse;
      expect(claimsOf(verdict, 'kill')).not.toEqual([]);
      expect(Math.max(...claimsOf(verdict, 'kill'))).toBeLessThanOrEqual(missedAfterMs + graceMs);
      const adoptedMs = silentAfterMs + graceMs + 2 * beatEveryMs;
      for (const name of ['freeze', 'cutOff', 'vanish'])
        expect(Math.max(0, ...claimsOf(verdict, name)), name).toBeLessThanOrEqual(adoptedMs);
      const adopting = new Set(blows.filter(({ adopted }) => adopted.size > 0).map(({ name }) => name));
      expect(adopting).toEqual(new Set(['freeze', 'cutOff', 'vanish']));

      const words = verdictInWords(verdict);
      expect(words.at(-1)).toBe(summaryOf(verdict));
      expect(words.at(-1)).toContain('no lost, no adopted wrongly, no violations');
    },
    longestTestMs,
  );

  it(
    'comes to the same with the same seed, to the last figure',
    async () => {
      const small = { ...planFor({ seed: 11, instances: 3, calls: 6 }), callEveryMs: 2_000 };
      const plan = { ...small, strikes: [{ strike: 'kill', atMs: 25_000 } as const] };
      const one = await Fleet.play(plan);
      const other = await Fleet.play(plan);
      expect(verdictInWords(one)).toEqual(verdictInWords(other));
      expect(planInWords(plan).join('\n')).toContain('after 25 s the busiest instance is killed');
    },
    longestTestMs,
  );
});
