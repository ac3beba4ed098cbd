import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createWebSocketReceiver } from '@statelyai/inspect';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { InspectedCall } from '../../../src/adapters/inspector/inspected-call.ts';
import { charts, current } from '../../../src/machines/charts/table.ts';
import type { Entry } from '../../../src/machines/entries.ts';
import { chartChange, step } from '../../../src/runtime/step.ts';
import { type Message, recordedCalls, tell } from './support/recorded-messages.ts';

const told = recordedCalls().map(tell);
/** What is computed from an event has no name in JSON but its own. */
const withNames = (_: string, value: unknown): unknown =>
  typeof value === 'function' ? { type: value.name } : value;
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe.each(told.map((each) => [each.recording.name, each] as const))(
  'of the call %s the inspector',
  (_, each) => {
    const { messages, states, events, recording } = each;

    it('is told the chart first, and then each event with the state after it', () => {
      const [actor, ...rest] = messages;
      expect(actor?.type).toBe('@xstate.actor');
      expect(rest.map(({ type }) => type)).toEqual(
        states.slice(1).flatMap(() => ['@xstate.event', '@xstate.snapshot']),
      );
      const told = rest.filter(({ type }) => type === '@xstate.event');
      expect(told.map(({ event }) => event?.type)).toEqual(events.slice(1).map(({ type }) => type));
      const snapshots = messages.filter(({ type }) => type !== '@xstate.event');
      expect(snapshots.map(({ snapshot }) => snapshot?.value)).toEqual(
        states.map((state) => throughJson(state.snapshot.value)),
      );
      expect(snapshots.map(({ snapshot }) => snapshot?.context)).toEqual(
        states.map((state) => throughJson(state.snapshot.context)),
      );
      expect(snapshots.map(({ snapshot }) => snapshot?.status)).toEqual(
        states.map((state) => state.snapshot.status),
      );
    });

    it('is told each moment and place of the log, and the same each time', () => {
      const entries = recording.commits.flatMap((commit) => commit.entries);
      const [, ...rest] = entries;
      expect(messages.map(({ createdAt, id }) => [createdAt, id])).toEqual(
        [entries[0], ...rest.flatMap((entry) => [entry, entry])].map((entry) => [
          String(entry?.at),
          String(entry?.seq),
        ]),
      );
      expect(new Set(messages.map(({ sessionId }) => sessionId)).size).toBe(1);
      expect(messages.every(({ rootId, sessionId }) => rootId === sessionId)).toBe(true);
      expect(tell(recording).texts).toEqual(each.texts);
    });

    it('is told no personal data', () => {
      const contents = recording.commits.flatMap(({ payloads }) => payloads.map(({ content }) => content));
      const personal = contents.filter((content) => content.length > 5);
      expect(personal.filter((content) => each.texts.some((text) => text.includes(content)))).toEqual([]);
    });
  },
);

describe('the inspector', () => {
  it('is told the chart’s definition whole', () => {
    for (const { messages, states } of told) {
      const machine = charts.find(({ number }) => number === states[0]?.chart)?.machine;
      const definition = String(messages[0]?.definition);
      expect(messages[0]?.name).toBe(machine?.id);
      expect(JSON.parse(definition)).toEqual(JSON.parse(JSON.stringify(machine?.config, withNames)));
      expect(definition).not.toMatch(/"\[(Object|Array)\]"/);
    }
  });

  it('is told of a newer chart that takes the call over as of another actor', () => {
    const recording = recordedCalls().find(({ name }) => name === 'live-caller-speaking');
    if (!recording) throw new Error('no such recording');
    const { states, texts } = tell(recording);
    const before = states.at(-1) as (typeof states)[0];
    const changed = chartChange(before);
    const inspected = new InspectedCall('a-call');
    inspected.take({ seq: 1, at: 1 } as Entry, before);
    const entry = { ...changed, seq: before.seq + 1, at: before.at } as Entry;
    const [after] = step(recording.callId, before, entry);
    const messages: Message[] = inspected.take(entry, after).map((text) => JSON.parse(text));
    expect(texts.length).toBeGreaterThan(0);
    expect(messages).toMatchObject([{ type: '@xstate.actor', sessionId: `a-call/chart-${current.number}` }]);
    expect(messages[0]?.snapshot?.value).toEqual(throughJson(after.snapshot.value));
    expect(messages[0]?.definition).toBeDefined();
  });

  it('hears by the package’s own WebSocket receiver what was sent', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const texts = told.flatMap((each) => each.texts);
    const heard: unknown[] = [];
    const receiver = createWebSocketReceiver({ server: `ws://127.0.0.1:${port}` });
    const all = new Promise<void>((resolve) => {
      receiver.subscribe((message) => {
        if (heard.push(message) === texts.length) resolve();
      });
    });
    const [socket] = await once(server, 'connection');
    for (const text of texts) socket.send(text);
    await all;
    expect(heard).toEqual(texts.map((text) => JSON.parse(text)));
    for (const client of server.clients) client.terminate();
    server.close();
  });
});
