/**
 * Owns: the faults that are planted to see the tests bite, each with the test that must find it.
 * Does not own: planting them and running the tests (`planted-copy.ts`).
 *
 * Invariants:
 * P1. Every place stands exactly once in its file, and every finder is a test that there is: a test of its own
 *     (`test/simulation/planted-faults-are-found.test.ts`) holds that, so the list cannot rot.
 */

/** A test, by its file and a piece of its name. */
export interface Finder {
  file: string;
  test: string;
}

export interface PlantedFault {
  /** What it breaks: I1 to I10, or the rule of the design that is none of them. */
  invariant: string;
  /** What it would be called in a review. */
  fault: string;
  file: string;
  place: string;
  replacement: string;
  finder: Finder;
}

const anyFault: Finder = {
  file: 'test/simulation/stories-hold.test.ts',
  test: 'whatever goes wrong, every call goes on in conversation',
};
const lostWhileSpeaking: Finder = {
  file: 'test/simulation/stories-hold.test.ts',
  test: 'whoever is lost while somebody speaks',
};
const anyDeath: Finder = {
  file: 'test/simulation/stories-hold.test.ts',
  test: 'a process may die at any await',
};
const keptStories: Finder = {
  file: 'test/simulation/kept-stories-hold.test.ts',
  test: 'everything holds again',
};

const claimProtocol: Finder = {
  file: 'test/journal/claim-protocol.test.ts',
  test: 'leave one log with one writer at a time, over the model',
};

export const plantedFaults: readonly PlantedFault[] = [
  {
    invariant: 'I1',
    fault: 'an assignment reads the machine’s own clock',
    file: 'src/machines/call/assignments.ts',
    place: 'export const countAsk = ({ context }: Scope): Change => ({ asks: context.asks + 1 });',
    replacement:
      'export const countAsk = ({ context }: Scope): Change => ({ asks: context.asks + (Math.floor(performance.now() * 1e3) % 2) });',
    finder: anyFault,
  },
  {
    invariant: 'I1',
    fault: 'the time of entries follows a wall clock that is set back',
    file: 'src/runtime/call.ts',
    place: '    return Math.max(clock.now(), (this.#state?.at ?? 0) + elapsedMs);',
    replacement: '    return elapsedMs < 0 ? 0 : clock.now();',
    finder: {
      file: 'test/runtime/timers-count-on-the-monotonic-clock.test.ts',
      test: 'never goes back, however the clock jumps',
    },
  },
  {
    invariant: 'I2',
    fault: 'the journal takes an entry whose number is taken',
    file: 'src/adapters/journal/memory-tables.ts',
    place: "    if (!this.#accepts(commit, known)) return 'conflict';\n",
    replacement: '',
    finder: anyFault,
  },
  {
    invariant: 'I2',
    fault: 'a process that lost the call goes on stepping it',
    file: 'src/runtime/call.ts',
    place: '    this.#rest(error);\n    this.#writer.stop();',
    replacement: '    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);',
    finder: {
      file: 'test/runtime/only-one-process-writes.test.ts',
      test: 'perform nothing more where they lost the call',
    },
  },
  {
    invariant: 'I2',
    fault: 'a claim that met another one does not ask again whether it may',
    file: 'src/runtime/registry.ts',
    place: '      if (!mayClaim(asCurrent(state))) return null;',
    replacement: '      if (attempt === 0 && !mayClaim(asCurrent(state))) return null;',
    finder: claimProtocol,
  },
  {
    invariant: 'I2',
    fault: 'a command is performed before its entry is durable',
    file: 'src/runtime/call.ts',
    place: '      if (this.#unjournalled || reflexes.has(command.type)) now.push({ command, key });',
    replacement: '      if (this.#unjournalled || command.type !== undefined) now.push({ command, key });',
    finder: claimProtocol,
  },
  {
    invariant: 'I2',
    fault: 'an append that met another one counts as taken, and the next follows it',
    file: 'src/runtime/writer.ts',
    place: '    if (isConflict(error)) {\n      this.#conflict(error);\n      return;\n    }',
    replacement: '    if (isConflict(error)) {\n      this.#durable(commit);\n      return;\n    }',
    finder: claimProtocol,
  },
  {
    invariant: 'ownership',
    fault: 'a process that cannot reach the journal takes the others for silent',
    file: 'src/service/liveness.ts',
    place: "    if (!this.#isSteady) return 'unknown';\n",
    replacement: '',
    finder: {
      file: 'test/service/what-nobody-asks-for-is-adopted.test.ts',
      test: 'makes nobody adopt anything',
    },
  },
  {
    invariant: 'ownership',
    fault: 'a process that was frozen or cut off does not look whether its calls are still its own',
    file: 'src/service/presence.ts',
    place: '      if (this.#liveness.noteBeat(askedAtMs, clock.monotonic())) this.#isSuspect = true;',
    replacement: '      this.#liveness.noteBeat(askedAtMs, clock.monotonic());',
    finder: {
      file: 'test/service/what-nobody-asks-for-is-adopted.test.ts',
      test: 'are looked at as soon as it is back',
    },
  },
  {
    invariant: 'I3',
    fault: 'a tool that must run once is run again without asking what became of it',
    file: 'src/agent/tool-runner.ts',
    place: "    if (effect === 'once') return await this.#recoverOnce(tool, request);\n",
    replacement: '',
    finder: { file: 'test/agent/tools-are-recovered.test.ts', test: 'never has its effect twice' },
  },
  {
    invariant: 'I3',
    fault: 'the history forgets tools: the next session calls them again',
    file: 'src/runtime/remembered.ts',
    place: '  if (line.name === hangUpTool) return null;',
    replacement: "  if (line.name !== '') return null;",
    finder: lostWhileSpeaking,
  },
  {
    invariant: 'I4',
    fault: 'the parts of an ended call are kept',
    file: 'src/service/assembly.ts',
    place: '    over: ({ callId }) => {\n      live.release(callId);',
    replacement: '    over: ({ callId }) => {\n      void callId;',
    finder: anyFault,
  },
  {
    invariant: 'I5',
    fault: 'nobody adopts the calls of a dead process',
    file: 'src/service/presence.ts',
    place: '        if (!this.#stopped) this.#beginAdopting();\n',
    replacement: '',
    finder: anyDeath,
  },
  {
    invariant: 'I5',
    fault: 'the carrier is never told to bring a new stream',
    file: 'src/machines/call/carrier.ts',
    place: '      entry: redirectCall,',
    replacement: '      entry: [],',
    finder: anyFault,
  },
  {
    invariant: 'I6',
    fault: 'what was sent counts as heard',
    file: 'src/media/playback-ledger.ts',
    place: '  playedMs: Math.floor(item.playedBytes / bytesPerMs),',
    replacement: '  playedMs: Math.floor(item.markedBytes / bytesPerMs),',
    finder: { file: 'test/simulation/whole-calls.test.ts', test: 'I6, I7: whenever the caller interrupts' },
  },
  {
    invariant: 'I7',
    fault: 'an interruption does not flush the line',
    file: 'src/media/reply-player.ts',
    place: '    this.#line?.clear();',
    replacement: '',
    finder: { file: 'test/simulation/whole-calls.test.ts', test: 'I6, I7: whenever the caller interrupts' },
  },
  {
    invariant: 'I7',
    fault: 'the late audio of an interrupted reply is played',
    file: 'src/media/playback-ledger.ts',
    place: '    if (this.#interrupted.has(replyId)) return null;\n',
    replacement: '',
    finder: {
      file: 'test/media/interrupted-replies-stay-silent.test.ts',
      test: 'I7: nothing of an interrupted reply is sent after the flush',
    },
  },
  {
    invariant: 'I8',
    fault: 'a new session is not given what the caller said meanwhile',
    file: 'src/media/caller-feed.ts',
    place: '    this.#delivered = this.#ring.start;',
    replacement: '    this.#delivered = this.#ring.end;',
    finder: lostWhileSpeaking,
  },
  {
    invariant: 'I8',
    fault: 'some of the caller’s audio is swallowed though the session is well',
    file: 'src/media/caller-feed.ts',
    place: '      this.#ear?.appendAudio(piece);',
    replacement: '      if (this.#delivered % 100_000 > 4_000) this.#ear?.appendAudio(piece);',
    finder: lostWhileSpeaking,
  },
  {
    invariant: 'I8',
    fault: 'what is kept of a stream until it is admitted lies in memory that is used again',
    file: 'src/adapters/twilio/backlog.ts',
    place: 'audio: Uint8Array.from(message.audio)',
    replacement: 'audio: message.audio.slice()',
    finder: {
      file: 'test/adapters/twilio/streams-are-admitted.test.ts',
      test: 'is kept as it came: what each frame said',
    },
  },
  {
    invariant: 'I8',
    fault: 'the caller’s audio reaches the session twice',
    file: 'src/media/caller-feed.ts',
    place: '      this.#ear?.appendAudio(piece);',
    replacement: '      this.#ear?.appendAudio(piece);\n      this.#ear?.appendAudio(piece);',
    finder: {
      file: 'test/media/caller-audio-reaches-each-ear-once.test.ts',
      test: 'I8: over any sequence of ears',
    },
  },
  {
    invariant: 'I9',
    fault: 'the ring never forgets',
    file: 'src/media/ring.ts',
    place: '    this.forgetBefore(this.#end - this.#capacityBytes);',
    replacement: '',
    finder: { file: 'test/media/memory-stays-bounded.test.ts', test: 'I9: under any flood' },
  },
  {
    invariant: 'I10',
    fault: 'a webhook without a signature is let in',
    file: 'src/adapters/twilio/webhooks.ts',
    place: '    if (signed) return void reply.headers(standing?.() ?? {});',
    replacement: '    if (signed || !signed) return void reply.headers(standing?.() ?? {});',
    finder: {
      file: 'test/adapters/twilio/webhooks-refuse-strangers.test.ts',
      test: 'answers 403 to what is not signed',
    },
  },
  {
    invariant: 'I10',
    fault: 'a message that is no JSON throws',
    file: 'src/adapters/twilio/json.ts',
    place: '  } catch {\n    return undefined;\n  }',
    replacement: '  } catch (error) {\n    throw error;\n  }',
    finder: {
      file: 'test/adapters/twilio/stream-messages-are-read.test.ts',
      test: 'is all that any text or any change of a good message can come to',
    },
  },
  {
    invariant: 'said twice',
    fault: 'what was heard of a cut reply is forgotten',
    file: 'src/runtime/heard-text.ts',
    place: '  const shareOfAudio = playedMs / receivedMs;',
    replacement: '  const shareOfAudio = 0 * playedMs;',
    finder: keptStories,
  },
  {
    invariant: 'said twice',
    fault: 'a call is let go before what was heard of it is in the log',
    file: 'src/machines/commands.ts',
    place: "  'joinStream',\n  'interruptReply',",
    replacement: "  'joinStream',\n  'confirmMove',\n  'closeStream',\n  'interruptReply',",
    finder: keptStories,
  },
];
