/** Each page is there, in light and dark, on a phone and a screen, with no accessibility fault and nothing from elsewhere. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { expect, it } from 'vitest';
import { useStage } from './support/scene.ts';
import { faults, liveCalls, pastCalls } from './support/told-calls.ts';

const now = Date.now();
const stage = useStage(() => [...pastCalls(now), ...liveCalls(now)]);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const live = `CA${'31'.padStart(32, '0')}`;

const places = [
  { name: 'live calls', hash: '#/', shows: '+441632960031' },
  { name: 'past calls', hash: '#/past', shows: '+441632960015' },
  { name: 'a past call', hash: `#/calls/${faults[4]!.callId}`, shows: 'The journal took nothing any more' },
  { name: 'a live call', hash: `#/calls/${live}`, shows: 'We mend it while you wait' },
  { name: 'an unknown call', hash: '#/calls/CA-none', shows: 'there is no call' },
  { name: 'health', hash: '#/health', shows: 'connection refused' },
  { name: 'instances', hash: '#/instances', shows: 'process.started' },
  { name: 'try', hash: '#/try', shows: 'Not on the line' },
];

const sizes = [
  { width: 1_280, height: 900 },
  { width: 360, height: 740 },
];

/** In the dark only colours differ. */
const looks = [
  { colorScheme: 'light', runOnly: undefined },
  { colorScheme: 'dark', runOnly: { type: 'rule', values: ['color-contrast'] } },
] as const;

async function violationsOf(runOnly: (typeof looks)[number]['runOnly']): Promise<string[]> {
  const options = JSON.stringify({ runOnly, resultTypes: ['violations'] });
  const { violations } = (await stage.page.evaluate(`axe.run(${options})`)) as AxeResults;
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
}

it.each(places)('$name', { timeout: 120_000 }, async ({ hash, shows }) => {
  const { page } = stage;
  for (const size of sizes) {
    await page.setViewportSize(size);
    await stage.goTo(hash);
    await page.getByText(shows).first().waitFor();
    await page.evaluate(axe);
    for (const { colorScheme, runOnly } of looks) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await violationsOf(runOnly), `${colorScheme} ${size.width}`).toEqual([]);
    }
    const tooWide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(tooWide, `${size.width} wide`).toBeLessThanOrEqual(0);
  }
  expect(stage.faults).toEqual([]);
});

it('asks nobody else for anything, and is not allowed to', async () => {
  const { page, server, requests } = stage;
  const response = await page.goto(server.url);
  const policy = response?.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/https?:|\*|unsafe/);
  const refused = await page.evaluate(() =>
    Promise.all(
      ['https://example.com/', 'http://127.0.0.2:1/'].map((url) =>
        fetch(url).then(
          () => 'let out',
          () => 'refused',
        ),
      ),
    ),
  );
  expect(refused).toEqual(['refused', 'refused']);
  const elsewhere = requests.map((request) => request.url()).filter((url) => !url.startsWith(server.url));
  expect(elsewhere.filter((url) => url !== 'about:blank' && !/example\.com|127\.0\.0\.2/.test(url))).toEqual(
    [],
  );
  expect(requests.length).toBeGreaterThan(100);
});
