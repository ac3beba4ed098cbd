/** Owns: `npm run build`: what the published package holds, compiled into `dist/`. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const speech = join('src', 'twin', 'caller', 'speech');

rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiler = join(root, 'node_modules', '.bin', 'tsc');
const { status } = spawnSync(compiler, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status === 0) {
  cpSync(join(root, speech), join(root, 'dist', speech), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  });
}
process.exitCode = status ?? 1;
