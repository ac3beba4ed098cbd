/** A real balancer with the shipped configuration, as a child that never detaches, in a folder of its own. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnBound } from '../../support/bound-process.ts';
import { Authority, textOf } from '../../support/certificates.ts';
import { type BalancerName, type Surroundings, shippedConfiguration } from './shipped.ts';

const startLimitMs = 10_000;

export class Balancer {
  readonly port: number;
  readonly tlsPort: number;
  /** Whom to trust for its certificate. */
  readonly authorityCertificate: string;
  readonly #name: BalancerName;
  readonly #folder: string;
  /** The one that takes connections last; before it those that were replaced. */
  readonly #children: ChildProcess[] = [];

  private constructor(
    name: BalancerName,
    { folder, port, tlsPort }: Surroundings,
    authorityCertificate: string,
  ) {
    this.#name = name;
    this.#folder = folder;
    this.port = port;
    this.tlsPort = tlsPort;
    this.authorityCertificate = authorityCertificate;
  }

  /** Resolves when it answers. @throws Error with what it said where it does not */
  static async start(name: BalancerName, surroundings: Surroundings): Promise<Balancer> {
    const balancer = new Balancer(name, surroundings, makeCertificate(surroundings.folder));
    writeFileSync(balancer.#configuration, shippedConfiguration(name, surroundings));
    balancer.#run([]);
    try {
      await balancer.#whenItAnswers();
      return balancer;
    } catch (error) {
      await balancer.close();
      throw error;
    }
  }

  /** As its configuration's head says: the new process takes new connections, the old one carries its streams. */
  async reload(): Promise<void> {
    const [running] = this.#children.slice(-1);
    if (this.#name === 'nginx') {
      const old = workersOf(running?.pid).map(({ pid }) => pid);
      running?.kill('SIGHUP');
      const isReplaced = () =>
        workersOf(running?.pid).every(({ pid, isRetiring }) => isRetiring || !old.includes(pid));
      await this.#when(isReplaced, 'the old workers do not retire');
    } else {
      this.#run(['-x', join(this.#folder, 'haproxy.sock'), '-sf', String(running?.pid)]);
      await this.#when(() => this.#retires(running), 'the old process does not retire');
    }
    await this.#whenItAnswers();
  }

  /** Whether an old process is still there that carries streams. */
  get hasOldProcess(): boolean {
    return this.#name === 'haproxy'
      ? this.#children.slice(0, -1).some(({ exitCode }) => exitCode === null)
      : workersOf(this.#children[0]?.pid).some(({ isRetiring }) => isRetiring);
  }

  /** What HAProxy makes of the instances, as `show stat` has it. */
  async serverStates(): Promise<string[]> {
    const socket = connect(join(this.#folder, 'haproxy.sock'));
    socket.end('show stat\n');
    const rows = (await text(socket)).split('\n').map((line) => line.split(','));
    const column = rows[0]?.indexOf('status') ?? -1;
    return rows
      .filter(([backend, server]) => backend === 'instances' && server?.startsWith('holdfast-'))
      .map((row) => row[column] ?? '');
  }

  log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  async close(): Promise<void> {
    const running = this.#children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    const ended = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    // nginx takes its workers along with SIGTERM, and would leave them behind with SIGKILL.
    for (const child of running) child.kill('SIGTERM');
    await Promise.all(ended);
  }

  get #configuration(): string {
    return join(this.#folder, `${this.#name}.conf`);
  }

  get #logPath(): string {
    return join(this.#folder, this.#name === 'nginx' ? 'error.log' : 'haproxy.log');
  }

  #run(more: readonly string[]): void {
    const output = openSync(join(this.#folder, `${this.#name}.log`), 'a');
    const words =
      this.#name === 'nginx'
        ? ['-p', this.#folder, '-c', this.#configuration, '-g', 'daemon off;']
        : ['-db', '-f', this.#configuration, ...more];
    this.#children.push(spawnBound(this.#name, words, { stdio: ['ignore', output, output] }, 'SIGTERM'));
    closeSync(output);
  }

  /** Its listening sockets are the new process's. */
  #retires(child: ChildProcess | undefined): boolean {
    return child?.exitCode !== null || /Proxy public stopped/.test(this.log());
  }

  async #when(condition: () => boolean, complaint: string): Promise<void> {
    const deadline = performance.now() + startLimitMs;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`${complaint}: ${this.log()}`);
      await sleep(20);
    }
  }

  /** Not a word to the instances: the path is none of theirs. */
  async #whenItAnswers(): Promise<void> {
    let answers = false;
    const ask = async (): Promise<void> => {
      answers = await fetch(`http://127.0.0.1:${this.port}/`).then(
        ({ status }) => status === 404,
        () => false,
      );
    };
    const deadline = performance.now() + startLimitMs;
    for (await ask(); !answers; await ask()) {
      if (performance.now() > deadline) throw new Error(`${this.#name} does not answer: ${this.log()}`);
      await sleep(20);
    }
  }
}

/** One for `localhost`, in the files that the configurations name. @returns the certificate of the authority that signed it */
function makeCertificate(folder: string): string {
  const authority = new Authority(folder, 'authority');
  const { certificatePath, keyPath } = authority.sign('localhost');
  const [certificate, key] = [textOf(certificatePath), textOf(keyPath)];
  writeFileSync(join(folder, 'fullchain.pem'), certificate);
  writeFileSync(join(folder, 'privkey.pem'), key);
  writeFileSync(join(folder, 'both.pem'), certificate + key);
  return textOf(authority.certificatePath);
}

/** Of nginx, which says in a worker's command line that it retires (Linux: proc(5), children and cmdline). */
function workersOf(pid: number | undefined): { pid: number; isRetiring: boolean }[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return children.map((child) => ({
    pid: Number(child),
    isRetiring: readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('shutting down'),
  }));
}
