/** Owns: `holdfast replay`, one call's log driven through the chart again and compared with what was stored. */
import { type ReplayedStep, replay } from '../runtime/history.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import { formatCommand } from '../service/words/command-text.ts';
import { formatState } from '../service/words/states.ts';
import { findCall, headline } from './show.ts';
import { formatOffset } from './time.ts';

const indent = ' '.repeat(18);

function formatStep(step: ReplayedStep, before: ReplayedStep | undefined, startedAt: number): string[] {
  const { entry, state, commands, matches } = step;
  const now = formatState(state.snapshot.value);
  const lines = [
    `${String(entry.seq).padStart(5)}  ${formatOffset(entry.at, startedAt).padStart(9)}  ${entry.type}`,
  ];
  if (!before || now !== formatState(before.state.snapshot.value)) lines.push(`${indent}→ ${now}`);
  if (commands.length > 0) lines.push(`${indent}! ${commands.map(formatCommand).join(', ')}`);
  if (!matches) lines.push(`${indent}✗ stored was ${formatState(step.stored)}`);
  return lines;
}

export interface Replayed {
  text: string;
  matches: boolean;
}

export async function replayCall(
  journal: Journal,
  callId: string,
  options: { json: boolean },
): Promise<Replayed> {
  const row = await findCall(journal, callId);
  const steps = await replay(journal, callId);
  const matches = steps.every((step) => step.matches);
  if (options.json) return { text: JSON.stringify(steps.map(describe), null, 2), matches };
  const body = steps.flatMap((step, index) => formatStep(step, steps[index - 1], row.startedAt));
  return {
    text: [
      headline(row),
      '',
      '  seq    seconds  entry, → states after it, ! commands',
      ...body,
      '',
      formatVerdict(steps),
    ].join('\n'),
    matches,
  };
}

function formatVerdict(steps: readonly ReplayedStep[]): string {
  const commits = steps.filter(({ stored }) => stored !== undefined).length;
  const [first, ...more] = steps.filter(({ matches }) => !matches);
  if (!first)
    return `${steps.length} entries replayed: the states are those that were stored, ${commits} of ${commits}.`;
  return `${steps.length} entries replayed: ${more.length + 1} of ${commits} stored states DIFFER, the first one after entry ${first.entry.seq}.`;
}

const describe = ({ entry, state, commands, matches }: ReplayedStep): object => ({
  seq: entry.seq,
  at: entry.at,
  type: entry.type,
  state: state.snapshot.value,
  commands,
  matches,
});
