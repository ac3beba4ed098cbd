/**
 * Owns: real PostgreSQL servers for tests, drills and measurements: on 127.0.0.1 and a free port, in a folder of their
 * own, from the programs that the system has. Restart, crash, freeze, a synchronous standby, its promotion.
 * Does not own: whether a test is left out without PostgreSQL (`postgres-needed.ts`), any table.
 *
 * PostgreSQL refuses to run as root: where this process is root, the servers run as the user `postgres`.
 */
import { type ChildProcess, execFile, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { spawnBound } from './bound-process.ts';
import { findPort } from './free-port.ts';

const run = promisify(execFile);

const debianFolder = '/usr/lib/postgresql';
const needed = ['initdb', 'postgres', 'psql', 'pg_basebackup'] as const;
type Program = (typeof needed)[number];

const startTimeoutMs = 60_000;
const lookEveryMs = 20;

/** The role that `url` names. It owns the database and is no superuser. */
export const role = 'holdfast';
export const password = 'pass:w@rd/of the%test';
const database = 'holdfast';

/** Where PostgreSQL's programs are, the newest version first; null where they are not installed. */
export function findPrograms(): string | null {
  const versions = existsSync(debianFolder) ? readdirSync(debianFolder) : [];
  const folders = versions
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(debianFolder, version, 'bin'));
  const asked = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  if (asked.status === 0) folders.push(asked.stdout.trim());
  return folders.find((folder) => needed.every((program) => existsSync(join(folder, program)))) ?? null;
}

interface Owner {
  uid?: number;
  gid?: number;
}

function findOwner(): Owner {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Servers of this process that run, and folders that are theirs: none outlives it, however it ends. */
const running = new Set<number>();
const folders = new Set<string>();

process.on('exit', () => {
  for (const pid of running) signal(pid, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child = 0, parent]) => (parent === pid ? [child] : []));
}

export interface UrlParts {
  database?: string;
  user?: string;
  password?: string;
  /** As `{ sslmode: 'require' }`. */
  parameters?: Record<string, string>;
}

/** One URL over several servers, in this order. */
export function urlOver(hosts: readonly { host?: string; port: number }[], parts: UrlParts = {}): string {
  const { user = role, parameters = {} } = parts;
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(parts.password ?? password)}`;
  const places = hosts.map(({ host = '127.0.0.1', port }) => `${host}:${port}`).join(',');
  const query = new URLSearchParams(parameters).toString();
  return `postgres://${login}@${places}/${parts.database ?? database}${query === '' ? '' : `?${query}`}`;
}

export class PostgresCluster {
  /** Holds the data, the socket, the server's log. */
  readonly folder: string;
  readonly port: number;
  readonly #bin: string;
  readonly #owner: Owner;
  readonly #settings: Record<string, string>;
  readonly #niceness: number;
  readonly #standbys: PostgresCluster[] = [];
  #server: ChildProcess | null = null;

  private constructor(bin: string, port: number, settings: Record<string, string>, niceness: number) {
    this.#bin = bin;
    this.#niceness = niceness;
    this.#owner = findOwner();
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), 'holdfast-postgres-'));
    folders.add(this.folder);
    this.#own(this.folder);
    this.#settings = settings;
  }

  /**
   * A new, empty server with one database, which `url()` names. `settings` as in `postgresql.conf`.
   *
   * @param niceness how far its processes give way to all others, 0 to 19
   * @throws Error where PostgreSQL is not installed or does not start
   */
  static async create(settings: Record<string, string> = {}, niceness = 0): Promise<PostgresCluster> {
    const bin = findPrograms();
    if (bin === null) throw new Error('PostgreSQL is not installed');
    const cluster = new PostgresCluster(bin, await findPort(), settings, niceness);
    try {
      await cluster.#initialize();
      return cluster;
    } catch (error) {
      await cluster.remove();
      throw error;
    }
  }

  async #initialize(): Promise<void> {
    const authentication = ['--auth-local=trust', '--auth-host=scram-sha-256'];
    const flags = ['--username=postgres', '--encoding=UTF8', '--no-locale', '--no-sync', ...authentication];
    await this.#run('initdb', [...flags, '--pgdata', this.#data]);
    await this.start();
    await this.query(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);
    await this.createDatabase(database);
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  /** The postmaster's process id; 0 while it does not run. */
  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  url(parts: UrlParts = {}): string {
    return urlOver([this], parts);
  }

  /** What the server said so far. */
  readLog(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  get #logPath(): string {
    return join(this.folder, 'server.log');
  }

  async start(): Promise<void> {
    const settings = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.folder,
      shared_buffers: '64MB',
      max_connections: '100',
      // A standby whose primary was away comes back soon.
      wal_retrieve_retry_interval: '100ms',
      ...this.#settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const log = openSync(this.#logPath, 'a');
    const server = spawnBound(
      join(this.#bin, 'postgres'),
      ['-D', this.#data, ...flags],
      { ...this.#owner, cwd: this.folder, stdio: ['ignore', log, log] },
      'SIGQUIT',
    );
    closeSync(log);
    this.#server = server;
    const pid = server.pid ?? 0;
    // Those that it starts inherit it.
    if (pid > 0) setPriority(pid, this.#niceness);
    running.add(pid);
    server.once('exit', () => {
      running.delete(pid);
      if (this.#server === server) this.#server = null;
    });
    await this.#waitUntilReady(pid);
  }

  /** As `pg_ctl --wait` sees it: the last line of the file that the postmaster keeps (pidfile.h). */
  async #waitUntilReady(pid: number): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    for (;;) {
      const [first, , , , , , , status] = this.#readPidFile();
      if (Number(first) === pid && ['ready', 'standby'].includes(status?.trim() ?? '')) return;
      if (this.#server?.pid !== pid || Date.now() > deadline)
        throw new Error(`PostgreSQL does not start: ${this.readLog().slice(-2_000)}`);
      await pause(lookEveryMs);
    }
  }

  #readPidFile(): string[] {
    const path = join(this.#data, 'postmaster.pid');
    try {
      return readFileSync(path, 'utf8').split('\n');
    } catch {
      return [];
    }
  }

  /** `fast` ends every connection and leaves a clean database; `immediate` leaves one that has to recover. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#end(() => signal(this.pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT'));
  }

  /** Every process of the server at once by SIGKILL, as when its machine dies. */
  async crash(): Promise<void> {
    await this.#end(() => {
      this.freeze();
      for (const pid of [this.pid, ...childrenOf(this.pid)]) signal(pid, 'SIGKILL');
    });
  }

  async #end(how: () => void): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    const ended = once(server, 'exit');
    how();
    await ended;
  }

  async restart(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** SIGSTOP to every process of the server: connections stay open, and nothing answers. */
  freeze(): void {
    this.#signalAll('SIGSTOP');
  }

  thaw(): void {
    this.#signalAll('SIGCONT');
  }

  /** The postmaster first: a stopped one makes no new children. */
  #signalAll(name: NodeJS.Signals): void {
    if (this.pid === 0) return;
    signal(this.pid, name);
    for (const pid of childrenOf(this.pid)) signal(pid, name);
  }

  /** What `sql` answers as the superuser, unaligned: a line for each row, columns parted by `|`. */
  async query(sql: string, name = 'postgres'): Promise<string> {
    const place = ['-h', this.folder, '-p', String(this.port), '-U', 'postgres', '-d', name];
    return (await this.#run('psql', [...place, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql])).trim();
  }

  async createDatabase(name: string): Promise<void> {
    await this.query(`CREATE DATABASE "${name}" OWNER ${role}`);
  }

  /** Settings that take no restart. */
  async configure(settings: Record<string, string>): Promise<void> {
    for (const [name, value] of Object.entries(settings))
      await this.query(`ALTER SYSTEM SET ${name} = '${value.replaceAll("'", "''")}'`);
    await this.query('SELECT pg_reload_conf()');
  }

  /** Puts `lines` before all others of `pg_hba.conf`. */
  async putAccessRules(lines: readonly string[]): Promise<void> {
    const path = join(this.#data, 'pg_hba.conf');
    writeFileSync(path, `${lines.join('\n')}\n${readFileSync(path, 'utf8')}`);
    await this.query('SELECT pg_reload_conf()');
  }

  /** A file beside the data that only the server's user reads, such as its key. Returns the path. */
  writePrivateFile(name: string, content: string | Buffer): string {
    const path = join(this.folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    this.#own(path);
    return path;
  }

  /** A folder that the server may write to. Returns the path. */
  makeFolder(path: string): string {
    mkdirSync(path, { mode: 0o700 });
    this.#own(path);
    return path;
  }

  /**
   * A copy of this server that follows it. From then on a commit is acknowledged once any one of its standbys has it
   * on disk, too. Ends with this server's `remove`.
   */
  async startStandby(): Promise<PostgresCluster> {
    const standby = new PostgresCluster(this.#bin, await findPort(), this.#settings, this.#niceness);
    this.#standbys.push(standby);
    const name = `standby_${this.#standbys.length}`;
    const place = `host=${this.folder} port=${this.port} user=postgres application_name=${name}`;
    await this.#run('pg_basebackup', [
      '-d',
      place,
      '-D',
      standby.#data,
      '-R',
      '-X',
      'stream',
      '-c',
      'fast',
      '-N',
    ]);
    // The last of two settings counts: the copy waits for nobody.
    appendFileSync(join(standby.#data, 'postgresql.auto.conf'), "synchronous_standby_names = ''\n");
    await standby.start();
    const names = this.#standbys.map((_, index) => `standby_${index + 1}`).join(', ');
    await this.configure({ synchronous_standby_names: `ANY 1 (${names})` });
    await this.#waitForStandby(name);
    return standby;
  }

  #waitForStandby(name: string): Promise<void> {
    return this.#waitUntil(
      `SELECT state = 'streaming' AND sync_state = 'quorum' FROM pg_stat_replication WHERE application_name = '${name}'`,
    );
  }

  /** Until every standby has all that was written so far. */
  waitUntilReplayed(): Promise<void> {
    return this.#waitUntil(
      'SELECT bool_and(replay_lsn >= pg_current_wal_flush_lsn()) FROM pg_stat_replication',
    );
  }

  async #waitUntil(sql: string): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    while ((await this.query(sql)) !== 't') {
      if (Date.now() > deadline) throw new Error(`The standby does not follow: ${this.readLog()}`);
      await pause(lookEveryMs);
    }
  }

  /** Ends a standby's following: it takes writes once this resolves. */
  async promote(): Promise<void> {
    if ((await this.query('SELECT pg_promote()')) !== 't') throw new Error('The standby was not promoted');
  }

  /** Stops this server and its standbys, and leaves nothing of them. */
  async remove(): Promise<void> {
    for (const standby of this.#standbys) await standby.remove();
    this.thaw();
    await this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
    folders.delete(this.folder);
  }

  #own(path: string): void {
    const { uid, gid } = this.#owner;
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  }

  async #run(program: Program, words: readonly string[]): Promise<string> {
    const options = { ...this.#owner, cwd: this.folder, maxBuffer: 64 * 1024 * 1024 };
    return (await run(join(this.#bin, program), words, options)).stdout;
  }
}
