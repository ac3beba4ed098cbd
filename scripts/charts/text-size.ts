/**
 * Owns: how large a text is taken to be in a drawing, and how an arrow's label is broken into lines.
 * Does not own: the type that it is set in (`src/console/page/styles.css`, which keeps to these sizes).
 */
export const labelSize = 10;
export const nameSize = 12;
export const lineHeight = 13;

const widestLine = 27;

/** Wide enough for the system's sans-serif types, which differ. */
export const textWidth = (text: string, size: number): number => Math.ceil(text.length * size * 0.55);

const cut = (text: string): string => (text.length > widestLine ? `${text.slice(0, widestLine - 1)}…` : text);

/** The event, and below it the guard where both do not fit into one line. */
export function linesOf(label: string): string[] {
  const [, event, guard] = /^(.*?) (\[.*\])$/.exec(label) ?? [];
  if (event === undefined || guard === undefined || label.length <= 27) return [cut(label)];
  return [cut(event), cut(guard)];
}

export const linesWidth = (lines: readonly string[]): number =>
  Math.max(0, ...lines.map((line) => textWidth(line, labelSize)));
