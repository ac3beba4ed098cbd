/** What the console shows of a call is its log, replayed: at every entry, whole or patch by patch. */
import { describe, expect, it } from 'vitest';
import { activeNodes } from '../../../src/console/charts/arrows.ts';
import { keptChart } from '../../../src/runtime/charts.ts';
import { Conversation } from '../../../src/runtime/conversation.ts';
import { heardLine } from '../../../src/runtime/heard-text.ts';
import { parseEntry, type ReplayedStep, replay } from '../../../src/runtime/history.ts';
import type { Commit } from '../../../src/runtime/ports/journal.ts';
import type { CallView } from '../../../src/runtime/ports/operator.ts';
import { formatState } from '../../../src/service/words/states.ts';
import { recordedVersions, recordingsOf } from '../../journals/recording.ts';
import { applyPatch, emptyView } from './support/apply-patch.ts';
import { longLog } from './support/long-log.ts';
import { commitsIn, journalOf, projectionOf, take } from './support/recorded-log.ts';

const logs: [string, Commit[]][] = [
  ...recordedVersions()
    .flatMap(recordingsOf)
    .map((recording): [string, Commit[]] => [`${recording.version} ${recording.name}`, commitsIn(recording)]),
  ['a long call of today', longLog(400)],
];

function viewsOf(commits: readonly Commit[]): { whole: CallView; patched: CallView; patches: number[] } {
  const [first] = commits;
  const projection = projectionOf(first?.callId ?? '', first?.row.startedAt);
  let patched = emptyView(projection.view().call);
  const patches: number[] = [];
  for (const commit of commits) {
    const before = projection.lastSeq;
    take(projection, commit);
    const patch = structuredClone(projection.patchAfter(before));
    patches.push(patch.steps.length);
    patched = applyPatch(patched, patch);
  }
  return { whole: projection.view(), patched, patches };
}

/** Context and timers as a page has them at each entry. */
function* followed(view: CallView): Generator<{ context: object; timers: object }> {
  let context: Record<string, unknown> = {};
  let timers: Record<string, number | null> = {};
  for (const step of view.steps) {
    context = { ...context, ...step.context };
    timers = { ...timers, ...step.timers };
    yield { context, timers: Object.fromEntries(Object.entries(timers).filter(([, at]) => at !== null)) };
  }
}

const litAt = ({ state }: ReplayedStep): string[] => {
  const chart = keptChart(state.chart);
  return chart ? activeNodes(chart.machine, state.snapshot.value) : [];
};

describe.each(logs)('%s', (_, commits) => {
  const callId = commits[0]?.callId ?? '';

  it('is shown at every entry as it replays', async () => {
    const steps = await replay(await journalOf(commits), callId);
    const { whole } = viewsOf(commits);
    const at = [...followed(whole)];
    expect(whole.fault).toBeNull();
    expect(whole.steps.map(({ entry }) => entry)).toEqual(steps.map(({ entry }) => entry));
    expect(whole.steps.map(({ matches }) => matches)).toEqual(steps.map(({ matches }) => matches));
    expect(whole.steps.map(({ configuration }) => whole.configurations[configuration])).toEqual(
      steps.map(litAt),
    );
    expect(at.map(({ context }) => context)).toEqual(steps.map(({ state }) => state.snapshot.context));
    expect(at.map(({ timers }) => timers)).toEqual(
      steps.map(({ state }) => Object.fromEntries([...state.due])),
    );
    expect(whole.steps.map(({ commands }) => commands.map((text) => text.split(' ')[0]))).toEqual(
      steps.map(({ commands }) => commands.map(({ type }) => type)),
    );
    expect(whole.call.stateText).toBe(formatState(steps.at(-1)?.state.snapshot.value));
    expect(whole.chart).toBe(steps.at(-1)?.state.chart);
  });

  it('is the same patch by patch, and no patch holds more than its commit', () => {
    const { whole, patched, patches } = viewsOf(commits);
    expect(patched).toEqual(whole);
    expect(patches).toEqual(commits.map(({ entries }) => entries.length));
  });

  it('is brought up to date from any entry on', () => {
    const projection = projectionOf(callId, commits[0]?.row.startedAt);
    const views: { view: CallView; seq: number }[] = [];
    for (const commit of commits) {
      take(projection, commit);
      views.push({ view: projection.view(), seq: projection.lastSeq });
    }
    const whole = projection.view();
    const every = Math.ceil(views.length / 20);
    for (const { view, seq } of views.filter((_, index) => index % every === 0))
      expect(applyPatch(view, projection.patchAfter(seq))).toEqual(whole);
  });

  it('shows of each reply what the caller had heard of it, at every entry', () => {
    const projection = projectionOf(callId, commits[0]?.row.startedAt);
    const conversation = new Conversation();
    for (const commit of commits) {
      take(projection, commit);
      for (const entry of commit.entries)
        conversation.apply(
          parseEntry(callId, entry),
          commit.payloads.filter(({ seq }) => seq === entry.seq),
        );
      const heard = conversation.lines.flatMap((line) =>
        line.kind === 'agent' ? [[`agent:${line.itemId}`, heardLine(line)]] : [],
      );
      const shown = projection
        .view()
        .lines.filter(({ who }) => who === 'agent')
        .map((line) => [line.id, line.heard.at(-1)?.text ?? '']);
      expect(shown).toEqual(heard);
    }
  });
});
