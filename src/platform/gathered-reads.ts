/**
 * Owns: having what comes on a connection wait in the kernel until there is so much of it, so that it is read at once.
 * Does not own: what comes, and what of it may wait.
 *
 * To be woken for a message and to read it costs more than to understand it. Linux wakes nobody before a connection
 * has as many bytes as its owner asked for (`SO_RCVLOWAT`), or has ended. Node.js has no word for that, so it is said
 * through `node:ffi` (Node.js 26.1 on); where there is none, everything is read as it comes.
 *
 * Source: socket(7), tcp(7).
 *
 * Invariants:
 * K3. Bytes wait for others for 100 ms at most: whoever comes more slowly than that is read as he comes.
 */
import type { Duplex } from 'node:stream';

/** As on every architecture below. */
const solSocket = 1;
const soRcvlowat = 18;
const architectures = new Set(['x64', 'arm64']);

/** False where the kernel did not take it. */
type SetLeastBytes = (descriptor: number, bytes: number) => boolean;

function findSetter(): SetLeastBytes | null {
  if (process.platform !== 'linux' || !architectures.has(process.arch)) return null;
  try {
    return loadSetter();
  } catch {
    // Switched off (`--no-experimental-ffi`), forbidden (`--permission`), or of another form in this Node.js.
    return null;
  }
}

function loadSetter(): SetLeastBytes | null {
  const { functions } = quietly(() => process.getBuiltinModule('node:ffi')).dlopen(null, {
    setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
  });
  const value = new Int32Array(1);
  return (descriptor, bytes) => {
    value[0] = bytes;
    return functions.setsockopt(descriptor, solSocket, soRcvlowat, value, value.byteLength) === 0;
  };
}

/** Node.js warns that the module is experimental: whoever reads that can do nothing about it, and need not. */
function quietly<Result>(load: () => Result): Result {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

let foundSetter: SetLeastBytes | null | undefined;

/** Looked for once, when it is first needed. */
function setter(): SetLeastBytes | null {
  if (foundSetter === undefined) foundSetter = findSetter();
  return foundSetter;
}

function setLeastBytes(connection: Duplex, bytes: number): boolean {
  const descriptor = (connection as { _handle?: { fd?: unknown } | null })._handle?.fd;
  if (typeof descriptor !== 'number') return false;
  try {
    return setter()?.(descriptor, bytes) ?? false;
  } catch {
    return false;
  }
}

/** Whether reads can be gathered here at all. */
export const gathersReads = (): boolean => setter() !== null;

/** Half of what bytes may wait: they may come just after one sweep and are let go at the second from then. */
const sweepEveryMs = 50;

const gathering = new Set<GatheredReads>();
let sweeping: NodeJS.Timeout | undefined;

function sweep(): void {
  for (const reads of gathering) reads.letGoIfQuiet();
  if (gathering.size > 0) return;
  clearInterval(sweeping);
  sweeping = undefined;
}

/** The reads of one connection. Its owner calls `noteRead` and `close`. */
export class GatheredReads {
  readonly #connection: Duplex;
  /** Nothing waits before `gather`. */
  #leastBytes = Number.POSITIVE_INFINITY;
  #hasRead = false;

  constructor(connection: Duplex) {
    this.#connection = connection;
  }

  /**
   * From now on what comes may wait for others until there are so many bytes.
   * @returns false where it does not
   */
  gather(leastBytes: number): boolean {
    this.#leastBytes = leastBytes;
    this.#begin();
    return gathering.has(this);
  }

  /**
   * The rest of what came in part is read as it comes. Where that was so, or all went quiet, what is as large as half of
   * what is waited for shows that it flows again.
   *
   * @returns whether all has come that was to wait; not where a kernel takes the option and does not keep to it
   */
  noteRead(bytes: number, isPart: boolean): boolean {
    this.#hasRead = true;
    const isWhole = !gathering.has(this) || bytes >= this.#leastBytes;
    if (isPart) this.#letGo();
    else if (bytes * 2 > this.#leastBytes && !gathering.has(this)) this.#begin();
    return isWhole;
  }

  letGoIfQuiet(): void {
    if (!this.#hasRead) this.#letGo();
    this.#hasRead = false;
  }

  close(): void {
    this.#leastBytes = Number.POSITIVE_INFINITY;
    gathering.delete(this);
  }

  #begin(): void {
    if (!setLeastBytes(this.#connection, this.#leastBytes)) {
      this.close();
      return;
    }
    this.#hasRead = true;
    gathering.add(this);
    sweeping ??= setInterval(sweep, sweepEveryMs).unref();
  }

  #letGo(): void {
    if (gathering.delete(this)) setLeastBytes(this.#connection, 1);
  }
}
