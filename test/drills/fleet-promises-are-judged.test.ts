import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Acknowledged,
  acknowledgedPath,
  brokenByTheLogs,
  findInLogs,
  readAcknowledged,
} from '../../scripts/drill/acknowledged.ts';
import { addFigures, figuresNote, figuresOf } from '../../scripts/drill/fleet-figures.ts';
import { brokenByTheFeed, Onlooker } from '../../scripts/drill/onlooker.ts';
import { brokenTakeovers, takeoverNote, takeoversOf } from '../../scripts/drill/takeovers.ts';
import { Wire } from '../../scripts/drill/wire.ts';
import type { Entry } from '../../src/machines/entries.ts';
import type { Feed, StoredEntry } from '../../src/runtime/ports/journal.ts';
import { claimed } from './support/evidence-of.ts';

const spoke = (seq: number, at: number) =>
  ({ type: 'caller.startedSpeaking', seq, at, itemId: 'item' }) as Entry;
const ended = (seq: number, at: number) => ({ type: 'call.ended', seq, at, reason: 'agent.hungUp' }) as Entry;

const log = [claimed(1, 10, 'one'), spoke(2, 20), claimed(3, 1_000, 'two'), spoke(4, 1_010)];
const result = { callId: 'call', entries: log };
const acknowledged = (instance: string, ...entries: Entry[]): Acknowledged => ({
  instance,
  callId: 'call',
  entries,
});

const brokenIn = (...told: Parameters<typeof findInLogs>): string[] => brokenByTheLogs(findInLogs(...told));

describe('what processes were told is durable', () => {
  it('is in the log, each commit by the owner of that moment', () => {
    const told = [acknowledged('one', ...log.slice(0, 2)), acknowledged('two', ...log.slice(2))];
    expect(brokenIn([result], told)).toEqual([]);
  });

  it('is missed where it is not there, or is something else', () => {
    const lost = [acknowledged('two', spoke(5, 1_020))];
    expect(brokenIn([result], lost)).toEqual(['no acknowledged entry is lost: call']);
    const changed = [acknowledged('two', spoke(4, 1_011))];
    expect(brokenIn([result], changed)).toEqual(['no acknowledged entry is lost: call']);
  });

  it('tells of a second writer', () => {
    expect(brokenIn([result], [acknowledged('one', spoke(4, 1_010))])).toEqual([
      'a call has one writer at a time: call',
    ]);
  });

  it('says nothing of calls of others, and a hole is seen in the log itself', () => {
    const foreign = [{ ...acknowledged('one', spoke(9, 1)), callId: 'other' }];
    expect(brokenIn([result], foreign)).toEqual([]);
    expect(brokenIn([{ callId: 'call', entries: [claimed(1, 10, 'one'), spoke(3, 20)] }], [])).toEqual([
      'no log has a hole: call',
    ]);
  });

  it('is read from the files of all instances, up to a line that was cut short', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-acknowledged-'));
    const line = JSON.stringify({ callId: 'call', entries: log.slice(0, 1) });
    writeFileSync(acknowledgedPath(folder, 'holdfast-1'), `${line}\n${line.slice(0, 20)}`);
    writeFileSync(join(folder, 'holdfast-1.log'), line);
    expect(readAcknowledged(folder)).toEqual([{ ...acknowledged('holdfast-1', ...log.slice(0, 1)) }]);
    rmSync(folder, { recursive: true });
  });
});

describe('the figures of a fleet', () => {
  it('count each lost entry, each foreign commit, each log with a hole and each call that a console missed', () => {
    const holed = { callId: 'holed', entries: [claimed(1, 10, 'one'), spoke(3, 20)] };
    const told = [
      acknowledged('one', ...log.slice(0, 2)),
      acknowledged('two', spoke(5, 1_020), spoke(6, 1_030)),
      acknowledged('one', log[3] as Entry),
    ];
    const takeovers = [
      { callId: 'call', afterMs: 943, beyondMs: 123 },
      { callId: 'more', afterMs: null, beyondMs: null },
    ];
    const figures = figuresOf(takeovers, findInLogs([result, holed], told), 1);
    expect(figures).toEqual({
      takeoversMs: [943],
      takeoversBeyondMs: [123],
      acknowledged: 5,
      lost: 2,
      holes: 1,
      secondWriters: 1,
      feedGaps: 1,
    });
    expect(figuresNote(addFigures(figures, figures))).toBe(
      'acknowledged entries 10, lost 4; holes 2; second writers 2; feed gaps 2',
    );
  });
});

describe('takeovers', () => {
  const kill = (at: number) => [{ at, instance: 'one', mutesStream: true }];

  it('are timed from the end of the process to the claim of another one', () => {
    const [takeover] = takeoversOf([result], kill(600));
    expect(takeover).toEqual({ callId: 'call', afterMs: 400, beyondMs: 0 });
    expect(
      takeoverNote([
        { callId: 'call', afterMs: 400, beyondMs: 0 },
        { callId: 'more', afterMs: 100, beyondMs: 0 },
      ]),
    ).toEqual(['2 calls taken over, claimed after p50 100, p99 400, at most 400 ms']);
  });

  it('count what Twilio takes where a new stream brought the claim, and nowhere else', () => {
    const orphan = { ...claimed(2, 2_000, 'two'), why: 'orphan' } as Entry;
    const beyond = (claim: Entry) =>
      takeoversOf([{ callId: 'call', entries: [claimed(1, 10, 'one'), claim] }], kill(600))[0]?.beyondMs;
    expect(beyond(claimed(2, 2_000, 'two'))).toBe(1_400 - (365 + 365 + 90));
    expect(beyond(orphan)).toBe(1_400);
  });

  it('are none of calls that it did not hold, or that were over', () => {
    expect(takeoversOf([result], kill(1_005))).toEqual([]);
    expect(
      takeoversOf([{ callId: 'call', entries: [claimed(1, 10, 'one'), ended(2, 20)] }], kill(600)),
    ).toEqual([]);
  });

  it('break the promise only where one came too late', () => {
    const takeovers = takeoversOf([result], kill(600));
    expect(brokenTakeovers(takeovers, 400)).toEqual([]);
    expect(brokenTakeovers(takeovers, undefined)).toEqual([]);
    expect(brokenTakeovers(takeovers, 399)).toEqual([
      'a process that is gone is relieved of its calls within 399 ms: call (400 ms)',
    ]);
  });
});

describe('an onlooker', () => {
  /** A feed that tells of what is put in, or keeps still. */
  class Fed implements Feed {
    readonly entries: StoredEntry[] = [];
    #tell: () => void = () => undefined;

    put(entry: Entry, isTold = true): void {
      this.entries.push(entry as unknown as StoredEntry);
      if (isTold) this.#tell();
    }

    readAfter(callId: string, seq: number): ReturnType<Feed['readAfter']> {
      const entries = this.entries.filter((entry) => entry.seq > seq);
      return Promise.resolve(entries.length === 0 ? [] : [{ callId, entries, state: null }]);
    }

    follow(_: string | null, listener: () => void): () => void {
      this.#tell = listener;
      return () => undefined;
    }
  }

  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('sees all that a feed tells of, and misses what it does not', async () => {
    const feed = new Fed();
    const onlooker = new Onlooker(feed);
    onlooker.follow('call');
    for (const entry of log.slice(0, 3)) feed.put(entry);
    await settled();
    expect(onlooker.missed([{ callId: 'call', entries: log.slice(0, 3) }])).toEqual([]);
    expect(brokenByTheFeed([])).toEqual([]);
    feed.put(log[3] as Entry, false);
    await settled();
    await onlooker.stop();
    expect(brokenByTheFeed(onlooker.missed([result]))).toEqual([
      'a console sees every entry once and in order: call (3 of 4)',
    ]);
  });
});

describe('a wire', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  async function echoThrough() {
    const server = createServer((socket) => socket.pipe(socket).on('error', () => undefined)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const address = server.address();
    const wire = await Wire.open(typeof address === 'object' && address ? address.port : 0);
    closing.push(
      () => server.close(),
      () => wire.close(),
    );
    return wire;
  }

  function dial(port: number) {
    const socket = connect(port, '127.0.0.1');
    const heard: string[] = [];
    socket.on('data', (data) => heard.push(String(data)));
    socket.on('error', () => undefined);
    closing.push(() => socket.destroy());
    return { socket, heard };
  }

  const heardSoon = async (heard: string[]) => {
    for (let turn = 0; turn < 50 && heard.length === 0; turn++)
      await new Promise((resolve) => setTimeout(resolve, 2));
    return heard.join('');
  };

  it('passes everything on until it is cut; then nothing passes, and nothing is refused', async () => {
    const wire = await echoThrough();
    const before = dial(wire.port);
    before.socket.write('one');
    expect(await heardSoon(before.heard)).toBe('one');
    before.heard.length = 0;
    wire.cut();
    before.socket.write('two');
    const during = dial(wire.port);
    await once(during.socket, 'connect');
    during.socket.write('three');
    expect(await heardSoon([...before.heard, ...during.heard])).toBe('');
    expect([before.socket.closed, during.socket.closed]).toEqual([false, false]);
    wire.mend();
    await Promise.all([once(before.socket, 'close'), once(during.socket, 'close')]);
    const after = dial(wire.port);
    after.socket.write('four');
    expect(await heardSoon(after.heard)).toBe('four');
  });
});
