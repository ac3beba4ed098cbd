/**
 * Owns: the panel around the chart: the states in words, zoom, and scrolling to where something happens.
 * Does not own: the picture (`chart-picture.ts`).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { ChartDrawing } from '../../../runtime/ports/operator.ts';
import type { Redraw } from '../state/scene.ts';
import { server } from '../state/server.ts';
import { ChartPicture, leavesOf } from './chart-picture.ts';

const drawings = new Map<number, Promise<ChartDrawing>>();

/** A drawing never changes while the page is open. */
function drawingOf(number: number): Promise<ChartDrawing> {
  const known = drawings.get(number) ?? server.chart(number);
  drawings.set(number, known);
  return known;
}

export class ChartPanel {
  readonly #redraw: Redraw;
  #picture: ChartPicture | null = null;
  #number: number | null = null;
  #isFollowing = true;
  #problem: string | null = null;

  constructor(redraw: Redraw) {
    this.#redraw = redraw;
  }

  /** Null where there is no drawing of the call's chart. */
  use(number: number | null): void {
    if (number === this.#number) return;
    this.#number = number;
    this.#picture = null;
    if (number === null) return;
    drawingOf(number).then(
      (drawing) => {
        this.#picture = new ChartPicture(drawing);
        this.#redraw();
      },
      (error: Error) => {
        this.#problem = error.message;
        this.#redraw();
      },
    );
  }

  draw(nodes: readonly string[], edges: readonly string[]): TemplateResult {
    return html`
      <section class="panel chart-panel" aria-labelledby="chart-title">
        <div class="head">
          <h2 id="chart-title">Chart</h2>
          ${this.#picture ? this.#tools() : nothing}
        </div>
        <ul class="states" aria-label="Active states">${leavesOf(nodes).map((id) => this.#stateChip(id, edges))}</ul>
        ${this.#problem ? html`<p class="dim">${this.#problem}</p>` : nothing}
        ${this.#number === null ? html`<p class="dim">This version has no drawing of the call’s chart.</p>` : nothing}
        <div class="scroll" id="chart-scroll" tabindex="0" role="group" aria-label="Drawing of the chart; scrolls">${this.#picture?.element ?? nothing}</div>
      </section>`;
  }

  #stateChip(id: string, edges: readonly string[]): TemplateResult {
    const [first = '', ...rest] = id
      .replace(/^live\./, '')
      .replace(/\.steady$/, '')
      .split('.');
    const isNew = edges.some((edge) => edge.split('|')[0] === id);
    return html`<li><button class="chip ${isNew ? 'new' : ''}" @click=${() => this.#scrollTo(this.#picture?.placeOf(id) ?? null)}><span class="dim">${first}</span> ${rest.join(' ')}</button></li>`;
  }

  #tools(): TemplateResult {
    return html`<div class="tools">
      <label class="check"><input type="checkbox" .checked=${this.#isFollowing} @change=${(event: Event) => this.#follow((event.target as HTMLInputElement).checked)}> Follow</label>
      <button @click=${() => this.#zoom(-1)} aria-label="Zoom out">−</button>
      <button @click=${() => this.#zoom(1)} aria-label="Zoom in">+</button>
      <button @click=${() => this.#fit()}>Whole</button>
    </div>`;
  }

  #follow(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    if (isFollowing) this.#scrollTo(this.#picture?.focus() ?? null);
  }

  #zoom(steps: number): void {
    this.#picture?.zoomBy(steps);
    this.#scrollTo(this.#picture?.focus() ?? null);
  }

  #fit(): void {
    const frame = frameElement();
    if (!frame) return;
    this.#isFollowing = false;
    this.#picture?.zoomToFit(frame.clientWidth - 4, frame.clientHeight - 4);
    this.#redraw();
  }

  /** After the page was drawn: only classes change. */
  drawn(nodes: readonly string[], edges: readonly string[]): void {
    if (!this.#picture?.light(nodes, edges)) return;
    if (this.#isFollowing) this.#scrollTo(this.#picture.focus());
  }

  #scrollTo(point: { x: number; y: number } | null): void {
    const frame = frameElement();
    if (!frame || !point) return;
    frame.scrollTo(point.x - frame.clientWidth / 2, point.y - frame.clientHeight / 2);
  }
}

const frameElement = (): HTMLElement | null => document.getElementById('chart-scroll');
