/**
 * Owns: a chart as a file that Stately Studio imports: one `createMachine` call with a plain configuration, in which
 * guards and actions are names.
 * Does not own: what the names stand for (`src/machines`).
 */
import type { AnyStateMachine } from 'xstate';
import { guardText } from '../../src/console/charts/labels.ts';

type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

function actionName(action: unknown): Plain {
  if (typeof action === 'string') return action;
  if (typeof action === 'function') return { type: typeOf(action) ?? (action.name || 'inline') };
  const { type, params } = action as { type: string; params?: unknown };
  return typeof params === 'object' && params !== null ? { type, params: plain(params) } : { type };
}

/** xstate gives its own actions, `enqueueActions` and the like, a type. */
const typeOf = (action: object): string | null =>
  'type' in action && typeof action.type === 'string' ? action.type : null;

const isFunction = (value: unknown): boolean => typeof value === 'function';

function plain(value: unknown): Plain {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return (value ?? null) as Plain;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== undefined && !(key === 'params' && isFunction(inner)))
      .map(([key, inner]) => [key, plainField(key, inner)]),
  );
}

function plainField(key: string, value: unknown): Plain {
  if (key === 'guard') return { type: guardText(value) };
  if (key === 'actions' || key === 'entry' || key === 'exit') return [value].flat().map(actionName);
  return plain(value);
}

/** The configuration without what the machine remembers, and without functions. */
export function plainConfig({ config }: AnyStateMachine): Plain {
  const { context: _, version: __, ...shape } = config as Record<string, unknown>;
  return plain(shape);
}

export const statelyFile = (machine: AnyStateMachine, title: string): string =>
  [
    `// ${title}, for Stately Studio: paste it there, or open it in its editor. Written by \`npm run charts\`.`,
    "import { createMachine } from 'xstate';",
    '',
    `export const machine = createMachine(${JSON.stringify(plainConfig(machine), null, 2)});`,
    '',
  ].join('\n');
