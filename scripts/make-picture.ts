/**
 * Owns: the README's picture: the demo as a terminal shows it. Needs Chromium, which no test does.
 *
 * `node --conditions=holdfast-source scripts/make-picture.ts` writes `docs/pictures/demo.png`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'holdfast-picture-'));

/** The colours of `src/demo/screen.ts`: bold, dim and the ANSI foregrounds. */
const styles: Record<string, string> = {
  1: 'font-weight:bold;color:#fff',
  2: 'color:#7a828e',
  32: 'color:#7ee787',
  33: 'color:#f2cc60',
  35: 'color:#d2a8ff',
  36: 'color:#76e3ea',
};

const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const shorten = (text: string): string => (text.length > 132 ? `${text.slice(0, 131)}…` : text);

function toHtml(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ANSI escapes are what is looked for
  const [, code, text] = /^\u001b\[(\d+)m(.*?)\u001b\[\d+m$/s.exec(line) ?? [];
  return code && text !== undefined
    ? `<span style="${styles[code] ?? ''}">${escapeHtml(shorten(text))}</span>`
    : escapeHtml(shorten(line));
}

const journalUrl = `sqlite:${join(directory, 'demo.db')}`;
const environment = { ...process.env, FORCE_COLOR: '1', JOURNAL_URL: journalUrl };
const { stdout } = spawnSync('npm', ['run', '--silent', 'demo'], {
  cwd: root,
  encoding: 'utf8',
  env: environment,
});
const shown = stdout.replaceAll(journalUrl, 'sqlite:data/holdfast.db');
const lines = ['<span style="color:#fff">$ npm run demo</span>', ...shown.trimEnd().split('\n').map(toHtml)];
const page = `<body style="margin:0;background:#0d1117"><pre style="margin:0;padding:18px 22px;color:#c9d1d9;font:13px/1.45 'DejaVu Sans Mono',monospace">${lines.join('\n')}</pre></body>`;
writeFileSync(join(directory, 'demo.html'), page);

const height = 36 + Math.ceil(lines.length * 13 * 1.45);
const { status } = spawnSync(
  'chromium',
  [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    `--user-data-dir=${join(directory, 'profile')}`,
    `--window-size=1120,${height}`,
    `--screenshot=${join(root, 'docs', 'pictures', 'demo.png')}`,
    `file://${join(directory, 'demo.html')}`,
  ],
  { stdio: 'ignore' },
);
rmSync(directory, { recursive: true, force: true });
process.exitCode = status ?? 1;
