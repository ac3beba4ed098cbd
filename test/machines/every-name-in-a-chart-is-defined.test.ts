/** XState fires a misspelt delay at once, and says nothing (`docs` of `after`): so names are checked here. */
import { describe, expect, it } from 'vitest';
import { callMachine } from '../../src/machines/call/machine.ts';
import { commands, reflexes } from '../../src/machines/commands.ts';
import { serviceCommands, serviceMachine } from '../../src/machines/service.ts';
import { actionsOf, configurationOf, delaysOf, guardsOf, nodesOf } from './support/configuration.ts';

const charts = [
  { name: 'the call chart', machine: callMachine, commandNames: Object.keys(commands) },
  { name: 'the service chart', machine: serviceMachine, commandNames: Object.keys(serviceCommands) },
];

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort();

describe.each(charts)('$name', ({ machine, commandNames }) => {
  const { delays, guards, actions } = machine.implementations;

  it('waits for every delay that it defines, and for no other', () => {
    expect(unique(delaysOf(machine))).toEqual(unique(Object.keys(delays)));
  });

  it('asks every guard that it defines, and no other', () => {
    expect(unique(guardsOf(machine))).toEqual(unique(Object.keys(guards)));
  });

  it('defines every action that it names', () => {
    const defined = new Set(Object.keys(actions));
    expect(unique(actionsOf(machine)).filter((name) => !defined.has(name))).toEqual([]);
  });

  it('names every action that it defines, but for commands that a function enqueues', () => {
    const named = new Set(actionsOf(machine));
    const enqueued = new Set(['recoverTool']);
    const unused = Object.keys(actions).filter((name) => !named.has(name) && !enqueued.has(name));
    expect(unused).toEqual([]);
    expect(commandNames.every((name) => name in actions)).toBe(true);
  });

  it('only assigns, waits and names commands', () => {
    expect(configurationOf(machine)).not.toMatch(/xstate\.(spawnChild|sendTo|emit|stopChild|log)|"invoke"/);
    expect(nodesOf(machine.root).flatMap(({ invoke }) => invoke)).toEqual([]);
  });

  it('starts every compound state in a state that it has', () => {
    for (const node of nodesOf(machine.root)) {
      if (node.type === 'compound') expect(Object.keys(node.states)).toContain(String(node.config.initial));
    }
  });
});

describe('a reflex', () => {
  it('is one of the commands, and none that reaches beyond this process and its sockets', () => {
    for (const reflex of reflexes) expect(Object.keys(commands)).toContain(reflex);
    for (const outside of [
      'runTool',
      'recoverTool',
      'hangUp',
      'askCarrier',
      'openModel',
      'createReply',
    ] as const)
      expect(reflexes.has(outside)).toBe(false);
  });
});
