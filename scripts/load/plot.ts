/**
 * Owns: a chart of lines over time as inline SVG: one axis, one unit, each line named at its end, values under the pointer.
 * Does not own: which charts there are (`html.ts`).
 */

export interface Line {
  name: string;
  /** Of the palette in the page's style: 1 to 3. */
  color: 1 | 2 | 3;
  points: readonly { atMs: number; value: number | null }[];
}

export interface Plot {
  title: string;
  unit: string;
  lines: readonly Line[];
  /** A value that must not be passed. */
  limit?: { name: string; value: number };
}

const width = 720;
const height = 220;
const margin = { left: 56, right: 120, top: 12, bottom: 28 } as const;
const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (sign) => escapes[sign] ?? sign);

/** 1, 2 or 5 times a power of ten, in at most `most` steps. */
export function stepOf(range: number, most: number): number {
  const rough = range / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? rough;
}

export const plain = (value: number): string =>
  value >= 100 || Number.isInteger(value)
    ? value.toFixed(0)
    : value >= 1
      ? value.toFixed(1)
      : value.toFixed(3);

interface Scale {
  x(atMs: number): number;
  y(value: number): number;
}

export function drawPlot({ title, unit, lines, limit }: Plot): string {
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value ?? 0));
  const highest = Math.max(...values, limit?.value ?? 0) || 1;
  const step = stepOf(highest, 4);
  const top = Math.ceil((highest * 1.02) / step) * step;
  const endMs = Math.max(...lines.flatMap(({ points }) => points.map(({ atMs }) => atMs)), 1_000);
  const scale: Scale = {
    x: (atMs) => margin.left + (atMs / endMs) * inner.width,
    y: (value) => margin.top + inner.height * (1 - value / top),
  };
  return `<figure><figcaption>${escapeHtml(title)} <span>${escapeHtml(unit)}</span></figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">
${grid(scale, top, step, endMs)}
${limit ? limitLine(scale, limit) : ''}
${lines.map((line) => drawLine(line, scale, unit)).join('\n')}
${names(lines, scale)}
</svg></figure>`;
}

function grid(scale: Scale, top: number, step: number, endMs: number): string {
  const right = margin.left + inner.width;
  const rows = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step).map((value) => {
    const y = scale.y(value).toFixed(1);
    return `<line class="grid" x1="${margin.left}" x2="${right}" y1="${y}" y2="${y}"/><text class="tick" x="${margin.left - 8}" y="${y}" dy="0.32em" text-anchor="end">${plain(value)}</text>`;
  });
  const seconds = stepOf(endMs / 1_000, 6);
  const columns = Array.from(
    { length: Math.floor(endMs / 1_000 / seconds) + 1 },
    (_, index) => index * seconds,
  ).map(
    (second) =>
      `<text class="tick" x="${scale.x(second * 1_000).toFixed(1)}" y="${height - 8}" text-anchor="middle">${plain(second)} s</text>`,
  );
  return [...rows, ...columns].join('');
}

function limitLine(scale: Scale, { name, value }: { name: string; value: number }): string {
  const y = scale.y(value).toFixed(1);
  const right = margin.left + inner.width;
  return `<line class="limit" x1="${margin.left}" x2="${right}" y1="${y}" y2="${y}"/><text class="tick" x="${right - 4}" y="${y}" dy="-0.5em" text-anchor="end">${escapeHtml(name)}</text>`;
}

function drawLine({ name, color, points }: Line, scale: Scale, unit: string): string {
  const known = points.filter((point): point is { atMs: number; value: number } => point.value !== null);
  const path = known
    .map(
      ({ atMs, value }, index) =>
        `${index === 0 ? 'M' : 'L'}${scale.x(atMs).toFixed(1)} ${scale.y(value).toFixed(1)}`,
    )
    .join('');
  const marks = known
    .map(
      ({ atMs, value }) =>
        `<circle cx="${scale.x(atMs).toFixed(1)}" cy="${scale.y(value).toFixed(1)}" r="5"><title>${escapeHtml(name)}, ${(atMs / 1_000).toFixed(0)} s: ${plain(value)} ${escapeHtml(unit)}</title></circle>`,
    )
    .join('');
  return `<path class="line c${color}" d="${path}"/><g class="marks c${color}">${marks}</g>`;
}

/** Beside the last value of each line, moved apart where they would lie over one another. */
function names(lines: readonly Line[], scale: Scale): string {
  const x = margin.left + inner.width + 8;
  const placed = lines
    .map(({ name, color, points }) => ({
      name,
      color,
      y: scale.y(points.findLast(({ value }) => value !== null)?.value ?? 0),
    }))
    .sort((one, other) => one.y - other.y);
  let lowest = Number.NEGATIVE_INFINITY;
  return placed
    .map(({ name, color, y }) => {
      lowest = Math.max(y, lowest + 15);
      return `<rect class="key c${color}" x="${x}" y="${(lowest - 4).toFixed(1)}" width="10" height="3"/><text class="name" x="${x + 15}" y="${lowest.toFixed(1)}" dy="0.32em">${escapeHtml(name)}</text>`;
    })
    .join('');
}
