/**
 * Owns: the page of one call: reading it, hearing what is new, and putting its panels together.
 * Does not own: the panels.
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { CallPatch, SoundView } from '../../../runtime/ports/operator.ts';
import type { Redraw, Scene } from '../state/scene.ts';
import { listen, server, type Unlisten } from '../state/server.ts';
import { clockText, dayTimeText, lengthText, shortId } from '../state/words.ts';
import { CallModel } from './call-model.ts';
import { ChartPanel } from './chart-panel.ts';
import { CommandDialogs } from './command-dialogs.ts';
import { Cursor } from './cursor.ts';
import { detailPanel } from './detail-panel.ts';
import { EntryList } from './entry-list.ts';
import { InspectorDialog } from './inspector-dialog.ts';
import { SoundMeter } from './sound-meter.ts';
import { sliderMarks, timeSlider } from './time-slider.ts';
import { Transcript } from './transcript.ts';
import { situation, troublesPanel } from './troubles.ts';
import { waterfall } from './waterfall.ts';

export class CallScene implements Scene {
  readonly #callId: string;
  readonly #redraw: Redraw;
  readonly #chart: ChartPanel;
  readonly #commands: CommandDialogs;
  readonly #inspector: InspectorDialog;
  readonly #entries = new EntryList();
  readonly #transcript = new Transcript();
  readonly #sound = new SoundMeter();
  #model: CallModel | null = null;
  #cursor: Cursor | null = null;
  #troubled: ReadonlySet<number> = new Set();
  #marks: TemplateResult = html``;
  #problem: string | null = null;
  #unlisten: Unlisten | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #shown = '';

  constructor(callId: string, seq: number | null, redraw: Redraw) {
    this.#callId = callId;
    this.#redraw = redraw;
    this.#chart = new ChartPanel(redraw);
    this.#commands = new CommandDialogs(callId, redraw);
    this.#inspector = new InspectorDialog(callId);
    void this.#read(seq);
  }

  get title(): string {
    return `Call ${shortId(this.#callId)}`;
  }

  leave(): void {
    this.#unlisten?.();
    this.#unlisten = () => undefined;
    clearInterval(this.#timer);
    this.#cursor?.pause();
    this.#inspector.leave();
  }

  async #read(seq: number | null): Promise<void> {
    try {
      const model = new CallModel(await server.call(this.#callId));
      if (this.#unlisten) return;
      this.#model = model;
      const timeOf = (one: number): number => model.step(one)?.entry.at ?? 0;
      this.#cursor = new Cursor(model.lastSeq, seq, timeOf, this.#redraw);
      this.#know();
      this.#listen(model);
      this.#timer = setInterval(() => model.isLive && this.#redraw(), 1_000);
    } catch (error) {
      this.#problem = (error as Error).message;
    }
    this.#redraw();
  }

  #listen(model: CallModel): void {
    this.#unlisten = listen(
      () => server.livePath(this.#callId, model.lastSeq),
      {
        patch: (data) => this.#take(data as CallPatch),
        sound: (data) => {
          this.#sound.take(data as SoundView);
          this.#redraw();
        },
        failed: (data) => this.#fail((data as { message: string }).message),
      },
      (isConnected) => this.#fail(isConnected ? null : 'The connection is lost; trying again…'),
    );
  }

  #fail(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#redraw();
  }

  #take(patch: CallPatch): void {
    if (!this.#model) return;
    this.#model.take(patch);
    this.#cursor?.grow(this.#model.lastSeq);
    this.#know();
    this.#redraw();
  }

  /** What follows from the whole log, and not from the entry that is looked at. */
  #know(): void {
    const model = this.#model;
    if (!model) return;
    this.#chart.use(model.view.chart);
    this.#troubled = new Set(model.view.troubles.map(({ seq }) => seq));
    this.#marks = sliderMarks(model);
  }

  onKey(event: KeyboardEvent): void {
    const cursor = this.#cursor;
    if (!cursor || (event.target as HTMLElement).closest('[role=listbox], .scroll')) return;
    if (event.key === 'ArrowLeft') cursor.go(cursor.seq - 1);
    else if (event.key === 'ArrowRight') cursor.go(cursor.seq + 1);
    else return;
    event.preventDefault();
  }

  draw(): TemplateResult {
    const [model, cursor] = [this.#model, this.#cursor];
    if (!model || !cursor) {
      return html`<h1 tabindex="-1">Call <span class="mono">${shortId(this.#callId)}</span></h1>
        ${this.#problem ? html`<p class="band bad" role="alert">${this.#problem}</p>` : html`<p class="loading">Reading the log…</p>`}`;
    }
    const { seq } = cursor;
    const entryAt = model.step(seq)?.entry.at ?? model.startedAt;
    const now = model.isLive && cursor.isFollowing ? Date.now() : entryAt;
    const edges = model.step(seq)?.edges ?? [];
    return html`
      ${this.#head(model)}
      ${this.#problem ? html`<p class="band bad" role="alert">${this.#problem}</p>` : nothing}
      ${model.view.fault ? html`<p class="band bad">The log cannot be folded: ${model.view.fault}</p>` : nothing}
      ${situation(model, cursor, now)}
      ${timeSlider(model, cursor, this.#marks)}
      <div class="panels">
        ${this.#chart.draw(model.nodesAt(seq), edges)}
        ${this.#transcript.draw(model, seq, this.#redraw)}
        ${this.#entries.draw(model, cursor, this.#troubled, this.#redraw)}
        ${detailPanel(model, seq, cursor.base)}
        ${troublesPanel(model, cursor)}
        ${waterfall(model, seq, cursor)}
        ${model.isLive ? this.#sound.draw() : nothing}
      </div>
      ${this.#inspector.draw(model.lastSeq, model.isLive)}`;
  }

  #head(model: CallModel): TemplateResult {
    const {
      direction,
      from,
      to,
      startedAt,
      endedAt,
      endReason,
      owner,
      stateText,
      latencyMs,
      recoveries,
      callId,
    } = model.view.call;
    const isOver = endedAt !== null;
    return html`
      <div class="head call-head">
        <div>
          <h1 tabindex="-1"><span class="hidden">Call ${direction}, </span>${from ?? 'erased'} <span class="dim" aria-hidden="true">→</span> ${to ?? 'erased'}</h1>
          <p class="dim"><span class="mono">${callId}</span> · ${direction} · started ${dayTimeText(startedAt)}</p>
        </div>
        <div class="actions">
          ${this.#commands.buttons(isOver)}
          <a class="button" href=${server.exportPath(callId)} download>Export</a>
          ${this.#inspector.button()}
        </div>
      </div>
      ${this.#commands.draw()}
      <dl class="facts">
        <div><dt>${isOver ? 'End' : 'State'}</dt><dd>${isOver ? endReason : stateText}</dd></div>
        <div><dt>Duration</dt><dd class="numeral">${clockText((endedAt ?? Date.now()) - startedAt)}</dd></div>
        <div><dt>Latency</dt><dd class="numeral">${latencyMs === null ? '–' : lengthText(latencyMs)}</dd></div>
        <div><dt>Recoveries</dt><dd class="numeral">${recoveries ?? model.view.recoveries.length}</dd></div>
        <div><dt>Instance</dt><dd class="mono">${owner ?? '–'}</dd></div>
      </dl>`;
  }

  drawn(): void {
    const [model, cursor] = [this.#model, this.#cursor];
    if (!model || !cursor) return;
    const { seq } = cursor;
    this.#chart.drawn(model.nodesAt(seq), model.step(seq)?.edges ?? []);
    this.#entries.drawn(seq, this.#redraw);
    const shown = `${seq} ${model.view.lines.length}`;
    if (shown !== this.#shown) this.#transcript.drawn();
    this.#shown = shown;
  }
}
