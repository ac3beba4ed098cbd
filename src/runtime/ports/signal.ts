/**
 * Owns: how a fact reaches a call before it is an entry: the draft, and the personal data that its references stand for.
 * Does not own: `seq` and `at`, which the runtime stamps.
 */
import type { Draft } from '../../machines/entries.ts';

export interface Signal {
  entry: Draft;
  /** Content by the name of the entry's reference field. */
  payloads?: Readonly<Record<string, string>>;
}

/** The reference that stands for `content` in an entry. */
export const referTo = (content: string): { bytes: number } => ({ bytes: Buffer.byteLength(content) });
