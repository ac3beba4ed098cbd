/** Owns: the bounds that chart 1 reads from `call.created`. Frozen, never edited. */

export interface Settings {
  longestCallMs: number;
  streamStartMs: number;
  reattachMs: number;
  askCarrierMs: number;
  askCarrierTries: number;
  streamTries: number;
  starvedMs: number;
  modelConnectMs: number;
  modelBackoffMs: number;
  modelBackoffLongestMs: number;
  modelTries: number;
  replyStartMs: number;
  replyTries: number;
  playbackStallMs: number;
  farewellMs: number;
  endingMs: number;
}
