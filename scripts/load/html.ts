/**
 * Owns: the report as one page that needs nothing from elsewhere: figures first, then how they went over time, then the
 * tables.
 * Does not own: the drawing of a chart (`plot.ts`).
 */
import type { DurationName } from '../../src/twin/load/measures.ts';
import { leakOf, tellLeft } from './leaks.ts';
import { type LoadReport, type Sample, titledDurations, troublesOf } from './load-report.ts';
import { drawPlot, escapeHtml, type Line, plain } from './plot.ts';

const style = `
:root { color-scheme: light dark; --page: #f9f9f7; --surface: #fcfcfb; --ink: #0b0b0b; --soft: #52514e; --faint: #898781;
  --grid: #e1e0d9; --border: rgba(11,11,11,.1); --c1: #2a78d6; --c2: #1baf7a; --c3: #eda100; --bad: #d03b3b; }
@media (prefers-color-scheme: dark) { :root { --page: #0d0d0d; --surface: #1a1a19; --ink: #fff; --soft: #c3c2b7; --faint: #898781;
  --grid: #2c2c2a; --border: rgba(255,255,255,.1); --c1: #3987e5; --c2: #199e70; --c3: #c98500; --bad: #d03b3b; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 32px; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1560px; margin: 0 auto; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 32px 0 12px; }
p { margin: 0 0 20px; color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 12px; }
.tile, figure, table { background: var(--surface); border: 1px solid var(--border); border-radius: 8px; }
.tile { padding: 14px 16px; } .tile b { display: block; font-size: 26px; font-weight: 600; }
.tile span { color: var(--soft); font-size: 13px; } .tile.bad b { color: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 16px; }
figure { margin: 0; padding: 14px 16px; } figcaption { font-weight: 600; } figcaption span { color: var(--faint); font-weight: 400; }
svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; }
.grid { stroke: var(--grid); } .tick { fill: var(--faint); font-variant-numeric: tabular-nums; } .name { fill: var(--soft); }
.limit { stroke: var(--faint); stroke-dasharray: 4 4; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); } .line.c3 { stroke: var(--c3); }
.key.c1 { fill: var(--c1); } .key.c2 { fill: var(--c2); } .key.c3 { fill: var(--c3); }
.marks circle { fill: transparent; } .marks circle:hover { fill: var(--ink); }
table { border-collapse: separate; border-spacing: 0; width: 100%; overflow: hidden; }
th, td { padding: 7px 14px; text-align: right; font-variant-numeric: tabular-nums; border-top: 1px solid var(--grid); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
`;

interface Tile {
  name: string;
  value: string;
  isBad?: boolean;
}

const drawTile = ({ name, value, isBad = false }: Tile): string =>
  `<div class="tile${isBad ? ' bad' : ''}"><b>${escapeHtml(value)}</b><span>${escapeHtml(name)}</span></div>`;

const limitMs = 20;
const known = (value: number | null, digits: number, unit = ''): string =>
  value === null ? 'not told' : `${value.toFixed(digits)}${unit}`;

function tilesOf(report: LoadReport): Tile[] {
  const { figures, counts, leaks } = report;
  const troubles = troublesOf(counts).reduce((sum, [, count]) => sum + count, 0);
  const latency = (name: string, p99: number): Tile => ({
    name,
    value: `${plain(p99)} ms`,
    isBad: p99 > limitMs,
  });
  return [
    { name: 'calls live', value: `${report.liveCalls} of ${report.calls}` },
    latency('added latency up, p99', figures.up.p99),
    latency('added latency down, p99', figures.down.p99),
    { name: 'time to first sound, p50', value: `${plain(figures.firstSound.p50)} ms` },
    {
      name: 'barge-in to clear, p99',
      value: figures.bargeIn.count === 0 ? 'none' : `${plain(figures.bargeIn.p99)} ms`,
    },
    { name: 'CPU seconds per call-minute', value: known(report.cpuSecondsPerCallMinute, 3) },
    { name: 'memory in use per call', value: known(thousandth(report.liveBytesPerCall), 0, ' kB') },
    { name: 'troubles', value: String(troubles), isBad: troubles > 0 },
    { name: 'left after the end', value: tellLeft(leaks), isBad: leakOf(leaks) !== null },
  ];
}

const thousandth = (value: number | null): number | null => (value === null ? null : value / 1_000);

function line(
  samples: readonly Sample[],
  name: string,
  color: Line['color'],
  of: (sample: Sample) => number | null,
): Line {
  return { name, color, points: samples.map((sample) => ({ atMs: sample.atMs, value: of(sample) })) };
}

const latencyLines = (samples: readonly Sample[], of: DurationName): Line[] => [
  line(samples, 'p50', 1, ({ figures }) => figures[of].p50),
  line(samples, 'p99', 2, ({ figures }) => figures[of].p99),
];

function plotsOf({ samples }: LoadReport): string[] {
  const limit = { name: `${limitMs} ms`, value: limitMs };
  return [
    drawPlot({
      title: 'Calls',
      unit: 'live',
      lines: [
        line(samples, 'calls', 1, ({ liveCalls }) => liveCalls),
        line(samples, 'model sessions', 2, ({ liveSessions }) => liveSessions),
      ],
    }),
    drawPlot({
      title: 'Added latency, caller to model',
      unit: 'ms',
      lines: latencyLines(samples, 'up'),
      limit,
    }),
    drawPlot({
      title: 'Added latency, model to caller',
      unit: 'ms',
      lines: latencyLines(samples, 'down'),
      limit,
    }),
    drawPlot({
      title: 'CPU',
      unit: 'of one core',
      lines: [
        line(samples, 'measured', 1, ({ cpuShare }) => cpuShare),
        line(samples, 'generator', 2, ({ generatorCpuShare }) => generatorCpuShare),
      ],
    }),
    drawPlot({
      title: 'Memory',
      unit: 'MB resident',
      lines: [
        line(samples, 'measured', 1, ({ residentBytes }) =>
          residentBytes === null ? null : residentBytes / 1e6,
        ),
      ],
    }),
    drawPlot({
      title: 'How late the generator was',
      unit: 'ms',
      lines: latencyLines(samples, 'generatorLate'),
    }),
  ];
}

function durationTable({ figures }: LoadReport): string {
  const rows = titledDurations.map(([name, title]) => {
    const { count, p50, p90, p99, p999, max } = figures[name];
    const cells =
      count === 0 ? ['', '', '', '', ''] : [p50, p90, p99, p999, max].map((value) => value.toFixed(2));
    return `<tr><td>${title}</td><td>${count}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<table><thead><tr><th>milliseconds</th><th>count</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function countTable({ counts }: LoadReport): string {
  const rows = Object.entries(counts)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, count]) => `<tr><td>${escapeHtml(name)}</td><td>${count}</td></tr>`);
  return `<table><thead><tr><th>what was counted</th><th>times</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

export function writeHtml(report: LoadReport): string {
  const title = `${report.target}: ${report.calls} calls, ${report.scenario}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main>
<h1>${escapeHtml(title)}</h1>
<p>All calls came within ${(report.rampMs / 1_000).toFixed(0)} s and were measured for ${(report.windowMs / 1_000).toFixed(0)} s after it.</p>
<div class="tiles">${tilesOf(report).map(drawTile).join('')}</div>
<h2>Over time</h2><div class="plots">${plotsOf(report).join('\n')}</div>
<h2>Durations</h2>${durationTable(report)}
<h2>Counts</h2>${countTable(report)}
</main></body></html>
`;
}
