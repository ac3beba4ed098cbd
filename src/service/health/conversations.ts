/** Owns: how many calls of this process take what a conversation takes. */
import type { Assembly } from '../assembly.ts';

export type Counted = Pick<Assembly, 'registry' | 'live' | 'desk'>;

/**
 * Calls that talk to the agent, or are about to. Those that are just being begun too: an agent may take its time, and the
 * limit is one for calls that come at once. Not a caller who was put through to somebody else: there is neither a stream
 * nor a session until he comes back.
 */
export function countConversations({ registry, live, desk }: Counted): number {
  let handedOn = 0;
  for (const { state } of registry.calls()) if (state.snapshot.matches('transferring')) handedOn += 1;
  return live.size - handedOn + desk.beginning;
}
