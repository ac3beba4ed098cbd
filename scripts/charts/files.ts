/**
 * Owns: which files `npm run charts` writes, and their text.
 * Does not own: what is in them (the files beside this one), the writing (`../charts.ts`).
 */
import type { AnyStateMachine } from 'xstate';
import { graphOf } from '../../src/console/charts/graph.ts';
import { charts } from '../../src/machines/charts/table.ts';
import { serviceMachine } from '../../src/machines/service.ts';
import { Chart } from './islands.ts';
import { Layout } from './layout.ts';
import { mermaidOf } from './mermaid.ts';
import { statelyFile } from './stately.ts';

export interface GeneratedFile {
  /** From the project's root. */
  path: string;
  text: string;
}

interface Kept {
  /** The call chart's; 0 is the service chart's. */
  number: number;
  file: string;
  title: string;
  machine: AnyStateMachine;
}

export const kept: readonly Kept[] = [
  ...charts.map(({ number, machine }) => ({
    number,
    file: `call-${number}`,
    title: `Call chart ${number}`,
    machine: machine as AnyStateMachine,
  })),
  { number: 0, file: 'service', title: 'Service chart', machine: serviceMachine },
];

const intro = `Written by \`npm run charts\`; a test fails where it differs. Arrows between two states share a line. "any state" stands
for all states of the region, "→" for a state that is drawn elsewhere. Beside this file is the same chart for Stately
Studio, and the console draws it with a call's state lit.`;

function page({ title, machine }: Kept): string {
  const chart = new Chart(graphOf(machine));
  const regions = chart.graph.nodes.filter(
    ({ parent }) => parent !== null && chart.node(parent).kind === 'parallel',
  );
  const islands = ['', ...regions.map(({ id }) => id)];
  const parts = islands.map((id) => {
    const heading = id === '' ? 'The whole' : `\`${id}\``;
    return `## ${heading}\n\n\`\`\`mermaid\n${mermaidOf(chart, chart.island(id))}\`\`\`\n`;
  });
  return `# ${title}\n\n${intro}\n\n${parts.join('\n')}`;
}

export function exportedFiles(): GeneratedFile[] {
  return kept.flatMap((one) => [
    { path: `docs/charts/${one.file}.md`, text: page(one) },
    { path: `docs/charts/${one.file}.stately.ts`, text: statelyFile(one.machine, one.title) },
  ]);
}

export async function drawnFiles(): Promise<GeneratedFile[]> {
  const drawn = [];
  for (const { number, file, title, machine } of kept) {
    const drawing = await new Layout(graphOf(machine)).draw(number, title);
    drawn.push({ path: `src/console/charts/drawings/${file}.json`, text: `${JSON.stringify(drawing)}\n` });
  }
  return drawn;
}
