/**
 * A chart that is kept for the logs it wrote is never edited. Pinned are its configuration and what it does in some
 * thousand walks: the digests are those under which it was the present chart.
 */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { charts } from '../../src/machines/charts/table.ts';
import { commands } from '../../src/machines/commands.ts';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import { type CallState, freeze, step } from '../../src/runtime/step.ts';
import { created, factsAt } from './chart-1-facts.ts';

const chart1 = charts.find(({ number }) => number === 1);

const configurationOf = (machine: AnyStateMachine): string =>
  JSON.stringify([machine.config, Object.keys(machine.implementations.delays)], (_, value: unknown) =>
    typeof value === 'function' ? `function ${(value as { type?: string }).type ?? ''}` : value,
  );

/** Rare in a walk, or it would be a short one, or begin again and again. */
const ofEnds = /^(carrier|journal|hangUp|owner|timer)/;
const isFinal = (fact: Draft): boolean => fact.type === 'model.closed' && fact.reaction === 'giveUp';

function move(state: CallState, fact: Draft, afterMs: number): ReturnType<typeof step> {
  const due = fact.type === 'timer.elapsed' ? (state.due.get(fact.timer) ?? 0) : 0;
  const at = Math.max(state.at + afterMs, due);
  return step('call1', state, { ...fact, seq: state.seq + 1, at } as Entry);
}

/** States, contexts, timers and commands of the same walks each time. */
function behaviour(): string {
  const hash = createHash('sha256');
  let random = 1;
  const draw = (below: number): number => {
    random = (random * 48_271) % 2_147_483_647;
    return random % below;
  };
  for (let walk = 0; walk < 1_500; walk++) {
    let [state] = step('call1', null, { ...created, seq: 1, at: 1_000_000 } as Entry);
    for (let steps = 0; steps < 60 && state.snapshot.status === 'active'; steps++) {
      const facts = factsAt(state);
      const usual = facts.filter((fact) => !ofEnds.test(fact.type) && !isFinal(fact));
      const from = usual.length === 0 || draw(8) === 0 ? facts : usual;
      const [after, asked] = move(state, from[draw(from.length)] as Draft, draw(900));
      hash.update(JSON.stringify([freeze(after), asked]));
      state = after;
    }
  }
  return hash.digest('hex').slice(0, 16);
}

it('chart 1 is configured as it was', () => {
  const text = configurationOf(chart1?.machine as AnyStateMachine);
  expect(createHash('sha256').update(text).digest('hex').slice(0, 16)).toBe('e5a19ed3b6a45b7e');
});

it('chart 1 does what it did', () => {
  expect(behaviour()).toBe('db76dfb4e9d6d369');
});

it.each(charts)('chart $number asks for nothing that nobody performs any more', (chart) => {
  expect(Object.keys(commands)).toEqual(expect.arrayContaining(Object.keys(chart.commands)));
});
