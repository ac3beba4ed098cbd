/**
 * Owns: a call's view as JSON, piece by piece: a long one takes longer to write than a frame of audio may wait.
 * Does not own: the view.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { CallView } from '../../runtime/ports/operator.ts';

const rowsAtOnce = 200;

async function* listText(rows: readonly unknown[]): AsyncGenerator<string> {
  yield '[';
  for (let first = 0; first < rows.length; first += rowsAtOnce) {
    const piece = rows.slice(first, first + rowsAtOnce).map((row) => JSON.stringify(row));
    yield `${first === 0 ? '' : ','}${piece.join(',')}`;
    await turn();
  }
  yield ']';
}

export async function* viewText(view: CallView): AsyncGenerator<string> {
  let before = '{';
  for (const [name, value] of Object.entries(view)) {
    yield `${before}${JSON.stringify(name)}:`;
    if (Array.isArray(value)) yield* listText(value);
    else yield JSON.stringify(value);
    before = ',';
  }
  yield '}';
}
