/**
 * Owns: the id of an episode's span: always the same one, in whichever process and however often it is worked out. So a
 * process that takes a call over hangs its spans below those of the one before, and nothing is ever there twice.
 */
import { hash } from 'node:crypto';
import type { EpisodeKind } from '../timeline/episode.ts';

/** Hexadecimal digits of a span id (W3C Trace Context). */
const idDigits = 16;

export const spanIdOf = (traceId: string, kind: EpisodeKind, seq: number): string =>
  hash('sha256', `${traceId}/${kind}/${seq}`, 'hex').slice(0, idDigits);
