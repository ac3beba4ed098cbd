import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { writeHtml } from '../../scripts/load/html.ts';
import { type Leaks, leakOf, tellLeft } from '../../scripts/load/leaks.ts';
import { type LoadReport, type Sample, writeReport } from '../../scripts/load/load-report.ts';
import { drawPlot, stepOf } from '../../scripts/load/plot.ts';
import { remoteTarget } from '../../scripts/load/target.ts';
import { Measures } from '../../src/twin/load/measures.ts';

function figures() {
  const measures = new Measures();
  for (let ms = 1; ms <= 100; ms++) measures.record('up', ms / 10);
  measures.record('down', 31);
  return measures.roll();
}

const sample = (atMs: number, liveCalls: number): Sample => ({
  atMs,
  liveCalls,
  liveSessions: liveCalls,
  figures: figures(),
  cpuShare: 0.5,
  residentBytes: null,
  generatorCpuShare: 0.25,
});

const report: LoadReport = {
  target: 'a <service>',
  scenario: 'talk',
  calls: 10,
  rampMs: 1_000,
  windowMs: 60_000,
  liveCalls: 9,
  figures: figures(),
  counts: { 'call.placed': 10, 'call.completed': 9, 'error.streamLost': 1, 'frames.sent': 500 },
  cpuSecondsPerCallMinute: 0.0612,
  liveBytesPerCall: 98_700,
  residentBytesPerCall: null,
  eventLoopDelayMs: { p50: 1, p99: 5, max: null },
  generatorCpuShare: 0.4,
  leaks: {
    waitedMs: 500,
    liveCalls: 0,
    liveSessions: 0,
    openSockets: 0,
    openTimers: 0,
    handlesBefore: 30,
    handlesAfter: 32,
    liveBytesBefore: 50e6,
    liveBytesAfter: 51e6,
    residentBytesBefore: 200e6,
    residentBytesAfter: 330e6,
    unseenBecause: null,
  },
  samples: [sample(1_000, 5), sample(2_000, 10)],
};

describe('the report in words', () => {
  const text = writeReport(report);

  it.each([
    /9 of|live at the end of the window 9/,
    /added latency up +100 +5\.\d+ +9\.\d+ +9\.9\d? /,
    /CPU seconds per call-minute +0\.0612 \(generator: 40 % of a core\)/,
    /99 kB in use, - resident/,
    /p50 under 1\.0 ms, p99 under 5\.0 ms, max under - ms/,
    /left after 0\.5 s +nothing; memory in use 50\.0 MB before, 51\.0 MB after, resident 200\.0 MB and 330\.0 MB/,
    /error\.streamLost +1/,
  ])('says %s', (line) => {
    expect(text).toMatch(line);
  });

  it('tells no mere count as a trouble', () => {
    expect(text.split('troubles')[1]).not.toContain('frames.sent');
  });
});

describe('what is left', () => {
  it('is named, each with how much of it', () => {
    expect(leakOf({ ...report.leaks, liveCalls: 2, openTimers: 1 })).toBe('2 live calls, 1 timers');
    expect(leakOf({ ...report.leaks, handlesAfter: 60 })).toBe('20 open files');
    expect(leakOf(report.leaks)).toBeNull();
    expect(tellLeft(report.leaks)).toBe('nothing');
  });

  it('is memory in use that grew by more than an idle process varies', () => {
    expect(leakOf({ ...report.leaks, liveBytesBefore: 80e6, liveBytesAfter: 400e6 })).toBe(
      '320 MB of memory',
    );
    expect(leakOf({ ...report.leaks, liveBytesAfter: 65e6 })).toBeNull();
    // What is resident after a collection that was asked for tells nothing more.
    expect(leakOf({ ...report.leaks, residentBytesAfter: 900e6 })).toBeNull();
  });

  it('is resident memory where no collection can be asked for', () => {
    const elsewhere = { ...report.leaks, liveBytesBefore: null, liveBytesAfter: null };
    expect(leakOf(elsewhere)).toBeNull();
    expect(leakOf({ ...elsewhere, residentBytesAfter: 800e6 })).toBe('600 MB of memory');
  });

  it('is not said to be nothing where nobody looked', () => {
    const unseen: Leaks = {
      waitedMs: 0,
      liveSessions: 0,
      ...{ liveCalls: null, openSockets: null, openTimers: null, handlesBefore: null, handlesAfter: null },
      ...{ liveBytesBefore: null, liveBytesAfter: null, residentBytesBefore: null, residentBytesAfter: null },
      unseenBecause: 'no --admin was given',
    };
    const all = 'not looked at: live calls, sockets, timers, open files, memory (no --admin was given)';
    expect(tellLeft(unseen)).toBe(all);
    expect(tellLeft({ ...unseen, liveSessions: 3 })).toBe(`3 model sessions; ${all}`);
    expect(tellLeft({ ...report.leaks, handlesBefore: null })).toBe('not looked at: open files');
    expect(writeReport({ ...report, leaks: unseen })).not.toContain('nothing');
    expect(writeHtml({ ...report, leaks: unseen })).toContain(`<b>${all}</b>`);
  });

  it.each([
    [401, 'its metrics answered 401: is ADMIN_TOKEN right?'],
    [500, 'its metrics answered 500'],
    [200, null],
  ])('is known to be unseen where the metrics answer %i', async (status, why) => {
    const server = createServer((_, response) => response.writeHead(status).end('open 1\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const target = remoteTarget('http://127.0.0.1:9', `127.0.0.1:${port}`, 'token');
    expect(await target.unseenBecause()).toBe(why);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await target.unseenBecause()).toBe('its metrics did not answer');
    const without = remoteTarget('http://127.0.0.1:9', null, null);
    expect(await without.unseenBecause()).toBe('no --admin was given');
  });
});

describe('the page', () => {
  const page = writeHtml(report);

  it('needs nothing from elsewhere', () => {
    expect(page).not.toMatch(/https?:|<script|<link|@import|url\(/);
  });

  it('escapes what it is given', () => {
    expect(page).toContain('a &lt;service&gt;');
    expect(page).not.toContain('a <service>');
  });

  it('marks a latency beyond its bound and a trouble, and nothing else', () => {
    const bad = [...page.matchAll(/tile bad"><b>([^<]+)<\/b><span>([^<]+)/g)].map(([, , name]) => name);
    expect(bad).toEqual(['added latency down, p99', 'troubles']);
  });

  it('has a chart for each course, and closes what it opens', () => {
    expect(page.match(/<svg/g)).toHaveLength(6);
    for (const element of ['svg', 'g', 'table', 'tr', 'td', 'figure', 'text', 'title', 'div']) {
      const opened = page.match(new RegExp(`<${element}[ >]`, 'g'))?.length;
      expect(page.match(new RegExp(`</${element}>`, 'g'))?.length, element).toBe(opened);
    }
  });
});

describe('a plot', () => {
  it('has its highest value inside, at its time', () => {
    const svg = drawPlot({
      title: 'Calls',
      unit: 'live',
      lines: [
        {
          name: 'calls',
          color: 1,
          points: [
            { atMs: 0, value: 0 },
            { atMs: 10_000, value: 100 },
            { atMs: 5_000, value: null },
          ],
        },
      ],
    });
    const [, lastX, lastY] = /d="M56\.0 192\.0L([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
    expect(Number(lastX)).toBeCloseTo(600, 0);
    expect(Number(lastY)).toBeGreaterThanOrEqual(12);
    expect(svg).toContain('calls, 10 s: 100 live');
  });

  it('has round steps', () => {
    expect([stepOf(100, 4), stepOf(7, 4), stepOf(0.9, 4)]).toEqual([50, 2, expect.closeTo(0.5)]);
  });
});
