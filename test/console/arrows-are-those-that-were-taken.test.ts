/** The arrows that are lit are those that xstate took: told by a copy of the chart whose every arrow says its id. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyMachineSnapshot, type AnyStateMachine, createMachine, transition } from 'xstate';
import { activeNodes, arrowsTaken } from '../../src/console/charts/arrows.ts';
import { graphOf } from '../../src/console/charts/graph.ts';
import { charts, current } from '../../src/machines/charts/table.ts';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import { type Phase, type ServiceEvent, serviceMachine } from '../../src/machines/service.ts';
import { type CallState, step } from '../../src/runtime/step.ts';
import { created, factsAt } from '../machines/alphabet.ts';

type Config = Record<string, unknown>;
type Given = Config & { actions?: unknown };

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

const marked = (given: unknown, path: string, event: string): unknown[] =>
  listOf(given).map((one, index) => {
    const arrow: Given = typeof one === 'string' ? { target: one } : { ...(one as Given) };
    const mark = { type: 'arrow', params: { id: `${path}|${event}|${index}` } };
    return { ...arrow, actions: [...(arrow.actions === undefined ? [] : listOf(arrow.actions)), mark] };
  });

const markedAll = (given: unknown, path: string, eventOf: (key: string) => string): Config =>
  Object.fromEntries(
    Object.entries((given ?? {}) as Config).map(([key, arrows]) => [key, marked(arrows, path, eventOf(key))]),
  );

function markedConfig(config: Config, machineId: string, path: string[] = []): Config {
  const at = path.join('.');
  const nodeId = [machineId, ...path].join('.');
  const states = Object.entries((config.states ?? {}) as Record<string, Config>);
  return {
    ...config,
    on: markedAll(config.on, at, (event) => event),
    after: markedAll(config.after, at, (delay) => `xstate.after.${delay}.${nodeId}`),
    ...(config.always === undefined ? {} : { always: marked(config.always, at, '') }),
    ...(states.length === 0
      ? {}
      : {
          states: Object.fromEntries(
            states.map(([key, inner]) => [key, markedConfig(inner, machineId, [...path, key])]),
          ),
        }),
  };
}

const telling = (machine: AnyStateMachine): AnyStateMachine =>
  createMachine(
    markedConfig(machine.config as Config, machine.id) as never,
    machine.implementations as never,
  );

/** What the telling copy says was taken from the same state. */
function told(copy: AnyStateMachine, before: AnyMachineSnapshot, event: { type: string }): string[] {
  const { value, context } = before;
  const [, actions] = transition(copy, copy.resolveState({ value, context }) as never, event as never);
  return (actions as { type: string; params?: { id: string } }[])
    .filter(({ type }) => type === 'arrow')
    .map(({ params }) => params?.id ?? '');
}

/** Most walks stay on the way for longer. */
const goesOn = ({ type }: Draft): boolean =>
  !['carrier.reported', 'journal.lost', 'hangUp.requested', 'model.closed'].includes(type);

const walks = fc.array(fc.nat(9_999), { minLength: 1, maxLength: 60, size: 'max' });

describe('the arrows of a step', () => {
  it('are those that the call chart took, those that follow at once included', () => {
    const copy = telling(current.machine);
    const first = { ...created, seq: 1, at: 1_000 } as Entry;
    const seen = new Set<string>();
    fc.assert(
      fc.property(walks, (numbers) => {
        let state: CallState = step('call1', null, first)[0];
        for (const number of numbers) {
          if (state.snapshot.status !== 'active') break;
          const facts = factsAt(state).filter((fact) => goesOn(fact) || number % 20 === 0);
          const fact = facts[number % facts.length] as Draft;
          const entry = { ...fact, seq: state.seq + 1, at: state.at + (number % 500) } as Entry;
          const event = entry.type === 'timer.elapsed' ? { type: entry.timer, at: entry.at } : entry;
          const frozen = JSON.stringify(state.snapshot);
          const arrows = arrowsTaken(current.machine, state.snapshot, event);
          expect(arrows).toEqual(told(copy, state.snapshot, event));
          expect(JSON.stringify(state.snapshot)).toBe(frozen);
          for (const arrow of arrows) seen.add(arrow);
          [state] = step('call1', state, entry);
        }
      }),
      { numRuns: 300, seed: 5 },
    );
    const known = new Set(graphOf(current.machine).edges.map(({ id }) => id));
    expect([...seen].filter((id) => !known.has(id))).toEqual([]);
    expect(seen.size).toBeGreaterThan(100);
    expect([...seen].some((id) => id.includes('||'))).toBe(true);
  });

  it('are those that the service chart took', () => {
    const copy = telling(serviceMachine);
    const phase = (name: Phase): ServiceEvent => ({
      type: 'phase.passed',
      at: 1,
      phase: name,
      detail: '',
      tookMs: 1,
    });
    const events: ServiceEvent[] = [
      phase('configuration'),
      phase('journal'),
      { type: 'xstate.after.modelPatience.service.starting.model', at: 2 },
      phase('http'),
      phase('model'),
      phase('publicAddress'),
      phase('webhooks'),
      { type: 'drain.requested', at: 3, reason: 'SIGTERM', withinMs: 10 },
      { type: 'stop.requested', at: 4, reason: 'again' },
      { type: 'stop.requested', at: 5, reason: 'again' },
    ];
    let [snapshot] = transition(
      serviceMachine,
      serviceMachine.resolveState({ value: 'starting', context: serviceMachine.config.context as never }),
      { type: 'calls.gone', at: 0 },
    );
    const taken = events.flatMap((event) => {
      const arrows = arrowsTaken(serviceMachine, snapshot, event);
      expect(arrows).toEqual(told(copy, snapshot, event));
      [snapshot] = transition(serviceMachine, snapshot, event);
      return arrows;
    });
    expect(taken).toContain('starting.model|xstate.after.modelPatience.service.starting.model|0');
    expect(taken).toContain('|phase.passed|0');
    expect(taken.at(-1)).toBe('stopping|stop.requested|0');
  });

  it('are of the outer state where an inner one leaves it alone, and the earlier of two that leave the same', () => {
    const forked = createMachine({
      id: 'm',
      type: 'parallel',
      states: {
        a: { initial: 'x', states: { x: { on: { go: '#m.b.z', stay: 'y' } }, y: {} } },
        b: { initial: 'w', on: { go: '.z' }, states: { w: { on: { stay: '#m.a.x' } }, z: {} } },
      },
    });
    const start = forked.resolveState({ value: { a: 'x', b: 'w' }, context: {} });
    const copy = telling(forked);
    for (const type of ['go', 'stay', 'nothing']) {
      expect(arrowsTaken(forked, start, { type })).toEqual(told(copy, start, { type }));
    }
  });

  it('are none before the first state and after the last', () => {
    const [state] = step('call1', null, { ...created, seq: 1, at: 1 } as Entry);
    const ended = { ...state.snapshot, status: 'done' } as unknown as AnyMachineSnapshot;
    const answered = { type: 'call.answered' };
    expect(arrowsTaken(current.machine, null, answered)).toEqual([]);
    expect(arrowsTaken(current.machine, ended, answered)).toEqual([]);
    expect(arrowsTaken(current.machine, state.snapshot, answered)).toEqual(['ringing|call.answered|0']);
  });
});

describe('the nodes that are lit', () => {
  it('are all on the way to each state, outer before inner', () => {
    expect(activeNodes(current.machine, { ending: 'deciding' })).toEqual(['ending', 'ending.deciding']);
    expect(activeNodes(current.machine, 'ended')).toEqual(['ended']);
    const live = activeNodes(
      current.machine,
      current.machine.resolveState({ value: 'live', context: {} as never }).value,
    );
    expect(live).toContain('live.model.connecting');
    expect(live[0]).toBe('live');
    expect(new Set(live).size).toBe(live.length);
  });
});

describe('the ids', () => {
  it.each([
    ...charts.map(({ number, machine }) => ({ name: `chart ${number}`, machine })),
    { name: 'service', machine: serviceMachine },
  ])('of $name are unique, and join', ({ machine }) => {
    const { nodes, edges } = graphOf(machine as AnyStateMachine);
    const nodeIds = new Set(nodes.map(({ id }) => id));
    expect(nodeIds.size).toBe(nodes.length);
    expect(new Set(edges.map(({ id }) => id)).size).toBe(edges.length);
    expect(edges.filter(({ from, to }) => !nodeIds.has(from) || !nodeIds.has(to))).toEqual([]);
    expect(edges.filter(({ id }) => id.endsWith('-1'))).toEqual([]);
    expect(edges.filter(({ label }) => /\[\]|undefined|object/.test(label))).toEqual([]);
  });
});
