/**
 * Owns: several machines in one: a PostgreSQL primary with a synchronous standby, nginx with the configuration that is
 * shipped, and for each instance a port, a host name and a way to the database of its own.
 * Does not own: the processes (`stage.ts`), the drills (`drills/fleet.ts`).
 *
 * Invariants:
 * L1. After `close` no server of it is left.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Balancer } from '../../test/deploy/support/balancer.ts';
import { findPort } from '../../test/support/free-port.ts';
import { findPrograms, PostgresCluster, urlOver } from '../../test/support/postgres-cluster.ts';
import { acknowledgedPath } from './acknowledged.ts';
import type { Ground, Place } from './ground.ts';
import { Wire } from './wire.ts';

/** As the shipped configuration names them. */
export const machines: readonly string[] = ['holdfast-1', 'holdfast-2', 'holdfast-3'];

/** Whether the programs are there that a fleet is made of. */
export const canHaveFleet = (): boolean =>
  findPrograms() !== null &&
  ['nginx', 'openssl'].every((name) => spawnSync(name, ['-v']).error === undefined);

/** Each instance keeps some connections; a drill looks on by others. */
const mostConnections = '300';

const ownHost = join(import.meta.dirname, 'own-host.ts');
const notesAcknowledged = join(import.meta.dirname, 'acknowledged-hook.ts');

/** An instance's way to each of the servers. */
type Ways = readonly Wire[];

interface Parts {
  folder: string;
  primary: PostgresCluster;
  standby: PostgresCluster;
  balancer: Balancer;
  ports: readonly number[];
  /** Null where the instances reach the servers directly. */
  ways: readonly Ways[] | null;
}

export class Fleet implements Ground {
  readonly primary: PostgresCluster;
  readonly standby: PostgresCluster;
  readonly balancer: Balancer;
  readonly publicUrl: string;
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #ways: readonly Ways[] | null;

  private constructor({ folder, primary, standby, balancer, ports, ways }: Parts) {
    this.#folder = folder;
    this.primary = primary;
    this.standby = standby;
    this.balancer = balancer;
    this.#ports = ports;
    this.#ways = ways;
    this.publicUrl = `http://127.0.0.1:${balancer.port}`;
  }

  /** @param isCuttable whether an instance can be cut off from the database; its traffic then goes through this process */
  static async open(folder: string, isCuttable: boolean): Promise<Fleet> {
    const primary = await PostgresCluster.create({ max_connections: mostConnections });
    const standby = await primary.startStandby();
    const [port = 0, tlsPort = 0, ...ports] = await Promise.all(
      Array.from({ length: 2 + machines.length }, findPort),
    );
    const balancer = await Balancer.start('nginx', { folder, port, tlsPort, instancePorts: ports });
    const open = (): Promise<Ways> => Promise.all([primary, standby].map((server) => Wire.open(server.port)));
    const ways = isCuttable ? await Promise.all(machines.map(open)) : null;
    return new Fleet({ folder, primary, standby, balancer, ports, ways });
  }

  get journalUrl(): string {
    return urlOver([this.primary, this.standby]);
  }

  placeOf(instance: string): Place {
    const index = this.#indexOf(instance);
    const ways = this.#ways?.[index];
    return {
      environment: {
        PORT: String(this.#ports[index]),
        JOURNAL_URL: ways ? urlOver(ways) : this.journalUrl,
        DRILL_ACKNOWLEDGED: acknowledgedPath(this.#folder, instance),
      },
      preload: [ownHost, notesAcknowledged],
    };
  }

  /** From now on nothing gets through between the instance and the database, either way. */
  cutOff(instance: string): void {
    for (const way of this.#ways?.[this.#indexOf(instance)] ?? []) way.cut();
  }

  mend(instance: string): void {
    for (const way of this.#ways?.[this.#indexOf(instance)] ?? []) way.mend();
  }

  /** The primary's machine dies; whoever watches over the database promotes the standby after so long. */
  async failOver(noticeMs: number): Promise<void> {
    await this.primary.crash();
    await new Promise((resolve) => setTimeout(resolve, noticeMs));
    await this.standby.promote();
  }

  /** L1. */
  async close(): Promise<void> {
    await this.balancer.close();
    for (const way of (this.#ways ?? []).flat()) way.close();
    await this.primary.remove();
  }

  #indexOf(instance: string): number {
    const index = machines.indexOf(instance);
    if (index < 0) throw new Error(`there is no machine for ${instance}`);
    return index;
  }
}
