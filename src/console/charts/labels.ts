/**
 * Owns: what is written at an arrow of a chart: its event, and its guard in words.
 * Does not own: where it is written (`scripts/charts`), what a guard checks (`src/machines`).
 */
import type { AnyTransitionDefinition } from 'xstate';

/** What xstate's `and`, `or`, `not` and `stateIn` keep of what they were given. */
interface ComposedGuard {
  check?: { name: string };
  guards?: readonly unknown[];
  stateValue?: unknown;
}

const timerPrefix = 'xstate.after.';

/** `stream.closed`; `after reattach` of a timer; `always` of an arrow that is taken as soon as its guard holds. */
export function eventText(type: string): string {
  if (type === '') return 'always';
  if (!type.startsWith(timerPrefix)) return type;
  return `after ${type.slice(timerPrefix.length).split('.')[0]}`;
}

export function guardText(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function') return composedText(guard as ComposedGuard) ?? guard.name;
  return typeof guard === 'object' && guard !== null && 'type' in guard ? String(guard.type) : '';
}

function composedText({ check, guards = [], stateValue }: ComposedGuard): string | null {
  if (check === undefined) return null;
  const operands = guards.map((guard) => (isChoice(guard) ? `(${guardText(guard)})` : guardText(guard)));
  switch (check.name) {
    case 'checkAnd':
      return operands.join(' and ');
    case 'checkOr':
      return operands.join(' or ');
    case 'checkNot':
      return `not ${operands.join()}`;
    case 'checkStateIn':
      return `in ${valueText(stateValue)}`;
    default:
      return null;
  }
}

const isChoice = (guard: unknown): boolean =>
  typeof guard === 'function' && ((guard as ComposedGuard).guards?.length ?? 0) > 1;

/** `{live: {turn: 'listening', tools: 'idle'}}` is `turn.listening, tools.idle`: the innermost names tell enough. */
function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, inner]) => (typeof inner === 'object' ? valueText(inner) : `${key}.${String(inner)}`))
    .join(', ');
}

export const labelOf = ({ eventType, guard }: AnyTransitionDefinition): string =>
  guard === undefined ? eventText(eventType) : `${eventText(eventType)} [${guardText(guard)}]`;
