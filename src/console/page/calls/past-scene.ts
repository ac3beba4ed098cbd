/**
 * Owns: finding calls: by what was said, a number, an id, a reason, a day. The search is part of the address.
 * Does not own: a row (`call-rows.ts`), the search itself (the server).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { CallSummary } from '../../../runtime/ports/operator.ts';
import { addressOf } from '../state/place.ts';
import type { Redraw, Scene } from '../state/scene.ts';
import { server } from '../state/server.ts';
import { plural } from '../state/words.ts';
import { callRows } from './call-rows.ts';

const reasons = [
  'caller.hungUp',
  'agent.hungUp',
  'operator.hungUp',
  'call.transferred',
  'call.notAnswered',
  'call.tooLong',
  'carrier.busy',
  'carrier.no-answer',
  'carrier.canceled',
  'carrier.failed',
  'transfer.unknown',
  'stream.lost',
  'model.refused',
  'model.unavailable',
  'journal.lost',
  'declined',
];

const typedAfterMs = 250;
const dayMs = 86_400_000;

/** The form's fields as the server's query: a day is from its midnight here to the next. */
function queryOf(fields: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams({ live: 'false', limit: '50' });
  for (const name of ['text', 'direction', 'endReason']) {
    const value = fields.get(name);
    if (value) query.set(name, value);
  }
  const from = fields.get('from');
  const to = fields.get('to');
  if (from) query.set('startedAfter', String(new Date(`${from}T00:00`).getTime() - 1));
  if (to) query.set('startedBefore', String(new Date(`${to}T00:00`).getTime() + dayMs));
  return query;
}

export class PastScene implements Scene {
  readonly title = 'Past calls';
  readonly #redraw: Redraw;
  #fields: URLSearchParams;
  #calls: CallSummary[] | null = null;
  #cursor: string | null = null;
  #problem: string | null = null;
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(query: URLSearchParams, redraw: Redraw) {
    this.#fields = query;
    this.#redraw = redraw;
    void this.#read();
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#asked++;
  }

  /** The answer to what was asked last is the one that counts. */
  async #read(cursor: string | null = null): Promise<void> {
    const asked = ++this.#asked;
    const query = queryOf(this.#fields);
    if (cursor !== null) query.set('cursor', cursor);
    try {
      const page = await server.calls(query);
      if (asked !== this.#asked) return;
      this.#calls = cursor === null ? page.calls : [...(this.#calls ?? []), ...page.calls];
      this.#cursor = page.cursor;
      this.#problem = null;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#problem = (error as Error).message;
    }
    this.#redraw();
  }

  #change(event: Event): void {
    const form = event.currentTarget as HTMLFormElement;
    const fields = [...new FormData(form)].filter(([, value]) => value !== '') as [string, string][];
    this.#fields = new URLSearchParams(fields);
    history.replaceState(null, '', addressOf({ name: 'past', query: this.#fields }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), typedAfterMs);
  }

  draw(): TemplateResult {
    const calls = this.#calls;
    return html`
      <div class="head">
        <h1 tabindex="-1">Past calls</h1>
        <span class="dim" role="status">${calls ? plural(calls.length, 'call') : ''}${this.#cursor ? ' and more' : ''}</span>
      </div>
      ${this.#form()}
      ${this.#problem ? html`<p class="band bad" role="alert">${this.#problem}</p>` : nothing}
      ${calls === null ? html`<p class="loading">Looking…</p>` : calls.length > 0 ? callRows(calls, Date.now(), false) : html`<p class="empty">No call is like that.</p>`}
      ${this.#cursor ? html`<button class="more" @click=${() => void this.#read(this.#cursor)}>Show more</button>` : nothing}
    `;
  }

  #form(): TemplateResult {
    const value = (name: string): string => this.#fields.get(name) ?? '';
    const option = (field: string, name: string): TemplateResult =>
      html`<option value=${name} ?selected=${value(field) === name}>${name}</option>`;
    return html`<form class="filters" role="search" @input=${(event: Event) => this.#change(event)} @submit=${(event: Event) => event.preventDefault()}>
      <label class="wide">Search<input name="text" type="search" placeholder="what was said, a number, an id, an instance" .value=${value('text')}></label>
      <label>Direction<select name="direction"><option value="">any</option>${['incoming', 'outgoing'].map((name) => option('direction', name))}</select></label>
      <label>End<select name="endReason"><option value="">any</option>${reasons.map((name) => option('endReason', name))}</select></label>
      <label>From<input name="from" type="date" .value=${value('from')}></label>
      <label>To<input name="to" type="date" .value=${value('to')}></label>
    </form>`;
  }
}
