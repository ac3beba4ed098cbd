/**
 * Owns: the list of live calls, as it changes.
 * Does not own: a row (`call-rows.ts`).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { CallSummary } from '../../../runtime/ports/operator.ts';
import type { Redraw, Scene } from '../state/scene.ts';
import { listen, type Unlisten } from '../state/server.ts';
import { plural } from '../state/words.ts';
import { callRows, keepFocus } from './call-rows.ts';

export class LiveScene implements Scene {
  readonly title = 'Live calls';
  readonly #redraw: Redraw;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #unlisten: Unlisten;
  #calls: CallSummary[] | null = null;
  #isConnected = true;

  constructor(redraw: Redraw) {
    this.#redraw = redraw;
    this.#timer = setInterval(redraw, 1_000);
    const calls = (data: unknown): void => {
      this.#calls = data as CallSummary[];
      redraw();
    };
    this.#unlisten = listen(
      () => '/api/calls/live',
      { calls },
      (isConnected) => {
        this.#isConnected = isConnected;
        redraw();
      },
    );
  }

  leave(): void {
    clearInterval(this.#timer);
    this.#unlisten();
  }

  drawn(): void {
    keepFocus();
  }

  onKey(event: KeyboardEvent): void {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    document.querySelector<HTMLElement>('.rows a.row')?.focus();
    this.#redraw();
  }

  draw(): TemplateResult {
    const calls = this.#calls;
    return html`
      <div class="head">
        <h1 tabindex="-1">Live calls</h1>
        <span class="dim" role="status">${this.#isConnected ? (calls ? plural(calls.length, 'call') : '') : 'The connection is lost; trying again…'}</span>
      </div>
      ${calls === null ? html`<p class="loading">Looking…</p>` : calls.length > 0 ? callRows(calls, Date.now(), true) : noCalls()}
      ${calls?.length ? html`<p class="dim hint">Arrow keys walk the list, Enter opens a call.</p>` : nothing}
    `;
  }
}

const noCalls = (): TemplateResult => html`<div class="empty">
  <p>Nobody is on the line.</p>
  <p><a href="#/try">Call the agent from here</a>, or look at <a href="#/past">past calls</a>.</p>
</div>`;
