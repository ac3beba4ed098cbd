/** Two ends of a stream in memory, which cuts what it carries as it is told. */
import { Duplex } from 'node:stream';

class End extends Duplex {
  peer: End | null = null;
  readonly #cut: (bytes: Buffer) => Buffer[];

  constructor(cut: (bytes: Buffer) => Buffer[]) {
    super();
    this.#cut = cut;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const piece of this.#cut(chunk)) this.peer?.push(piece);
    done();
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }
}

/** @param cut into the pieces that arrive */
export function duplexPair(cut: (bytes: Buffer) => Buffer[] = (bytes) => [bytes]): [Duplex, Duplex] {
  const [one, other] = [new End(cut), new End(cut)];
  one.peer = other;
  other.peer = one;
  return [one, other];
}
