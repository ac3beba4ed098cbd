/**
 * Owns: whose a call is that nobody holds any more: a fair share for each instance that is there, by a rule that needs
 * no agreement (rendezvous hashing).
 * Does not own: who is there (`liveness.ts`), the adoption (`adoption.ts`).
 *
 * Two instances that see different ones there may both take a call for their own: the journal's seq lets one of them
 * have it. None sees another order of the instances that both see.
 */
import { hash } from 'node:crypto';
import type { InstanceRow } from '../runtime/ports/journal.ts';

type Heir = Pick<InstanceRow, 'instance' | 'ready'>;

/** The instance's place among the heirs of the call, from 0. Those that are ready come first. */
export function placeAmong(heirs: readonly Heir[], instance: string, callId: string): number {
  const isReady = heirs.some((heir) => heir.instance === instance && heir.ready);
  const weight = weightOf(instance, callId);
  return heirs.filter((heir) => {
    if (heir.instance === instance) return false;
    return heir.ready === isReady ? weightOf(heir.instance, callId) > weight : heir.ready;
  }).length;
}

const weightOf = (instance: string, callId: string): string => hash('sha1', `${instance} ${callId}`);
