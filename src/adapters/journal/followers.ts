/** Owns: who follows which calls over one handle of a journal. Does not own: how a commit becomes known. */

interface Follower {
  /** Null: every call. */
  callId: string | null;
  listener: () => void;
}

export class Followers {
  readonly #followers = new Set<Follower>();

  get size(): number {
    return this.#followers.size;
  }

  /** Returns the function that takes it out again. */
  add(callId: string | null, listener: () => void): () => void {
    const follower = { callId, listener };
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** What a look for commits has to look for. */
  followed(): { any: boolean; callIds: string[] } {
    const callIds = new Set([...this.#followers].map(({ callId }) => callId));
    return { any: callIds.delete(null), callIds: [...callIds].filter((callId) => callId !== null) };
  }

  /** Null: whatever is followed may have changed. One that is taken out by another's listener is told no more. */
  tell(changed: readonly string[] | null): void {
    for (const follower of [...this.#followers])
      if (this.#followers.has(follower) && concerns(changed, follower)) follower.listener();
  }
}

function concerns(changed: readonly string[] | null, { callId }: Follower): boolean {
  return changed === null || callId === null || changed.includes(callId);
}
