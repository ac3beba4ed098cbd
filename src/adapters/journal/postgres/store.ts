/**
 * Owns: a journal in PostgreSQL behind one handle: its three connections, each opened when it is needed, the bound on
 * every answer, who is told of what.
 * Does not own: the group commit (`appender.ts`), the other operations (`queries.ts`), the port (`../handle.ts`).
 *
 * Appends have a connection of their own, so that no search of the list holds one up.
 *
 * Invariants:
 * J9. Every request is answered exactly once, within `answerWithinMs`.
 * J10. At most `requestsInFlight` requests wait; one more is refused with `journal.unavailable`.
 * P8. Who watches or follows here is told of what was put or committed here before its caller has the answer.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import { RetryError } from '../../../runtime/ports/errors.ts';
import { Followers } from '../followers.ts';
import {
  type JournalStore,
  type OperationName,
  type Operations,
  type PackedCommit,
  requestsInFlight,
} from '../operations.ts';
import { answerWithinMs, PostgresAppender } from './appender.ts';
import type { PostgresConnector } from './connector.ts';
import { toJournalError } from './failures.ts';
import { PostgresLink } from './link.ts';
import { PostgresListener } from './listener.ts';
import { CommitNotices } from './notices.ts';
import { PostgresQueries } from './queries.ts';

export interface StoreOptions {
  connector: PostgresConnector;
  clock: Clock;
  schema: string;
}

export class PostgresStore implements JournalStore {
  readonly #connector: PostgresConnector;
  readonly #clock: Clock;
  readonly #links: { appends: PostgresLink; queries: PostgresLink };
  readonly #appender: PostgresAppender;
  readonly #queries: PostgresQueries;
  readonly #listener: PostgresListener;
  readonly #notices: CommitNotices;
  readonly #followers = new Followers();
  readonly #watchers = new Set<() => void>();
  readonly #unanswered = new Set<Promise<unknown>>();
  readonly #sender = crypto.randomUUID();
  readonly #commitsChannel: string;
  readonly #inboxChannel: string;

  constructor({ connector, clock, schema }: StoreOptions) {
    this.#connector = connector;
    this.#clock = clock;
    this.#commitsChannel = `holdfast.commits.${schema}`;
    this.#inboxChannel = `holdfast.inbox.${schema}`;
    this.#links = {
      appends: new PostgresLink(connector, clock),
      queries: new PostgresLink(connector, clock),
    };
    const sender = this.#sender;
    this.#appender = new PostgresAppender({
      link: this.#links.appends,
      clock,
      place: connector.place,
      onStored: (callIds) => this.#tellOf(callIds),
    });
    const channel = this.#commitsChannel;
    this.#notices = new CommitNotices({ link: this.#links.appends, clock, channel, sender });
    const inboxChannel = this.#inboxChannel;
    this.#queries = new PostgresQueries({ link: this.#links.queries, schema, inboxChannel, sender });
    const onHeard = (channel: string, payload: string | null) => this.#hear(channel, payload);
    this.#listener = new PostgresListener({ connector, clock, schema, onHeard });
  }

  async execute<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
  ): Promise<Operations[Name]['result']> {
    if (this.#unanswered.size >= requestsInFlight)
      throw new RetryError('journal.unavailable', `${requestsInFlight} requests wait already`);
    const answer =
      name === 'append'
        ? this.#appender.append(request as PackedCommit)
        : this.#inTime(this.#perform(name, request));
    this.#unanswered.add(answer);
    try {
      return (await answer) as Operations[Name]['result'];
    } catch (error) {
      throw toJournalError(error, this.#connector.place);
    } finally {
      this.#unanswered.delete(answer);
    }
  }

  /** What was wanted of the listener before is so by then: who begins to follow and then reads misses nothing. */
  async #perform(name: OperationName, request: unknown): Promise<unknown> {
    await this.#listener.settled();
    if (name === 'beat') return await this.#beat(request as Operations['beat']['request']);
    const operation = this.#queries[name as Exclude<OperationName, 'append' | 'beat'>] as (
      asked: unknown,
    ) => Promise<unknown>;
    const result = await operation.call(this.#queries, request);
    if (name === 'put' && result === 'put') this.#tellWatchers();
    return result;
  }

  async #beat(row: Operations['beat']['request']): Promise<number> {
    const { number, beatAt } = await this.#queries.beat(row);
    await this.#listener.hold(number);
    return beatAt;
  }

  /** What comes after the bound is dropped. */
  async #inTime<Result>(work: Promise<Result>): Promise<Result> {
    let timer: TimerHandle;
    const late = new Promise<never>((_, reject) => {
      const error = new RetryError('journal.unavailable', `${this.#connector.place}: no answer in time`);
      timer = this.#clock.setTimeout(() => reject(error), answerWithinMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  #hear(channel: string, payload: string | null): void {
    const [sender, callIds = 'null'] = payload?.split(' ', 2) ?? [];
    if (sender === this.#sender) return;
    if (channel === this.#inboxChannel) this.#tellWatchers();
    else this.#followers.tell(JSON.parse(callIds) as string[] | null);
  }

  #tellOf(callIds: string[]): void {
    this.#followers.tell(callIds);
    this.#notices.add(callIds);
  }

  #tellWatchers(): void {
    for (const watcher of [...this.#watchers]) if (this.#watchers.has(watcher)) watcher();
  }

  watch(listener: () => void): () => void {
    const watcher = () => listener();
    this.#watchers.add(watcher);
    this.#listener.listen(this.#inboxChannel);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#listener.unlisten(this.#inboxChannel);
    };
  }

  follow(callId: string | null, listener: () => void): () => void {
    const stop = this.#followers.add(callId, listener);
    this.#listener.listen(this.#commitsChannel);
    return () => {
      stop();
      if (this.#followers.size === 0) this.#listener.unlisten(this.#commitsChannel);
    };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#unanswered);
    const { appends, queries } = this.#links;
    await this.#inTime(this.#notices.close()).catch(() => undefined);
    await Promise.all([this.#listener.close(), appends.close(), queries.close()]);
    this.#connector.dropStandbys();
  }
}
