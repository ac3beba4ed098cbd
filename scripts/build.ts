/** Owns: `npm run build`: what the published package holds, compiled into `dist/`. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const projects = ['tsconfig.build.json', 'tsconfig.page.json'];

/** Folders with files that are read at run time as they are. */
const folders = [join('src', 'twin', 'caller', 'speech'), join('src', 'console')];

function compile(project: string): boolean {
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  return spawnSync(compiler, ['-p', project], { cwd: root, stdio: 'inherit' }).status === 0;
}

const isReadAsItIs = (path: string): boolean =>
  statSync(path).isDirectory() || !(path.endsWith('.ts') || path.endsWith('tsconfig.json'));

rmSync(join(root, 'dist'), { recursive: true, force: true });
const isCompiled = projects.every(compile);
if (isCompiled) {
  for (const folder of folders) {
    cpSync(join(root, folder), join(root, 'dist', folder), { recursive: true, filter: isReadAsItIs });
  }
}
process.exitCode = isCompiled ? 0 : 1;
