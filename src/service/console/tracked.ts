/**
 * Owns: rows by key, each with the entry at which it last changed, so that whoever knows them up to some entry is told
 * the rest.
 * Does not own: what the rows are.
 */

export class Tracked<Key, Row> {
  readonly #rows = new Map<Key, { row: Row; changedSeq: number }>();

  get(key: Key): Row | undefined {
    return this.#rows.get(key)?.row;
  }

  /** A row is replaced, never written to: it may have been handed out. */
  set(key: Key, row: Row, seq: number): void {
    this.#rows.set(key, { row, changedSeq: seq });
  }

  /** In the order in which they first came. */
  changedAfter(seq: number): Row[] {
    return [...this.#rows.values()].filter(({ changedSeq }) => changedSeq > seq).map(({ row }) => row);
  }

  /** @param change returns the row itself where it stays */
  changeAll(seq: number, change: (row: Row) => Row): void {
    for (const [key, { row }] of this.#rows) {
      const changed = change(row);
      if (changed !== row) this.set(key, changed, seq);
    }
  }
}
