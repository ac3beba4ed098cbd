/**
 * Owns: the list of entries. Only what is in sight is in the document, however long the call was.
 * Does not own: which entry is looked at (`cursor.ts`).
 */
import { html, type TemplateResult } from 'lit-html';
import type { StepView } from '../../../runtime/ports/operator.ts';
import { offsetText } from '../state/words.ts';
import type { CallModel } from './call-model.ts';
import type { Cursor } from './cursor.ts';

const rowHeight = 26;
const margin = 5;

export class EntryList {
  #from = 0;
  #count = 40;
  #shownSeq = 0;

  draw(model: CallModel, cursor: Cursor, troubled: ReadonlySet<number>, redraw: () => void): TemplateResult {
    const { steps } = model.view;
    this.#aim(cursor.seq);
    const from = Math.max(0, Math.min(this.#from, steps.length - 1));
    const shown = steps.slice(from, from + this.#count);
    const isShown = cursor.seq > from && cursor.seq <= from + shown.length;
    const row = (step: StepView): TemplateResult => this.#row(step, model, cursor, troubled);
    return html`
      <section class="panel entries-panel" aria-labelledby="entries-title">
        <div class="head"><h2 id="entries-title">Entries</h2><span class="dim">${steps.length.toLocaleString()}</span></div>
        <div class="scroll" id="entries-scroll" role="listbox" tabindex="0" aria-label="Entries of the log"
          aria-activedescendant=${isShown ? `entry-${cursor.seq}` : ''}
          @scroll=${(event: Event) => this.#scrolled(event.target as HTMLElement, redraw)}
          @keydown=${(event: KeyboardEvent) => walk(event, cursor)}>
          <div class="spacer" role="presentation" .style=${`height:${steps.length * rowHeight}px`}>
            <div role="presentation" .style=${`transform:translateY(${from * rowHeight}px)`}>${shown.map(row)}</div>
          </div>
        </div>
      </section>`;
  }

  #row(
    { entry, text, matches }: StepView,
    model: CallModel,
    cursor: Cursor,
    troubled: ReadonlySet<number>,
  ): TemplateResult {
    const { seq, at, type } = entry;
    const mood = troubled.has(seq) ? 'bad' : '';
    const rest = text.startsWith(type) ? text.slice(type.length) : ` ${text}`;
    return html`<div class="entry ${mood} ${cursor.base === seq ? 'base' : ''}" role="option" id=${`entry-${seq}`}
      aria-selected=${cursor.seq === seq} aria-setsize=${model.lastSeq} aria-posinset=${seq}
 @click=${() => cursor.go(seq)}>
      <span class="seq">${seq}</span><span class="when">${offsetText(at - model.startedAt)}</span><span class="type">${type}</span><span class="dim rest">${rest}</span>${matches ? '' : html`<span class="tag bad">differs</span>`}
    </div>`;
  }

  /** What will be in sight once the list has scrolled to an entry that was out of sight: drawn at once, not a frame later. */
  #aim(seq: number): void {
    const index = seq - 1;
    if (seq === this.#shownSeq || (index >= this.#from && index < this.#from + this.#count)) return;
    this.#from = Math.max(0, index - Math.floor(this.#count / 2));
  }

  /** The entry that is looked at comes into sight when it changes, not when the reader scrolls. */
  drawn(seq: number, redraw: () => void): void {
    if (seq === this.#shownSeq) return;
    this.#shownSeq = seq;
    const frame = document.getElementById('entries-scroll');
    if (!frame) return;
    const top = (seq - 1) * rowHeight;
    const { scrollTop, clientHeight } = frame;
    if (top >= scrollTop && top <= scrollTop + clientHeight - rowHeight) return;
    const middle = Math.max(0, top - clientHeight / 2);
    frame.scrollTop = middle;
    this.#see(middle, clientHeight, redraw);
  }

  #scrolled({ scrollTop, clientHeight }: HTMLElement, redraw: () => void): void {
    this.#see(scrollTop, clientHeight, redraw);
  }

  #see(top: number, height: number, redraw: () => void): void {
    const from = Math.max(0, Math.floor(top / rowHeight) - margin);
    const to = Math.ceil((top + height) / rowHeight) + 1;
    if (from + margin >= this.#from && to <= this.#from + this.#count) return;
    this.#from = from;
    this.#count = to - from + margin;
    redraw();
  }
}

const moves: Record<string, (seq: number, last: number) => number> = {
  ArrowDown: (seq) => seq + 1,
  ArrowUp: (seq) => seq - 1,
  PageDown: (seq) => seq + 15,
  PageUp: (seq) => seq - 15,
  Home: () => 1,
  End: (_, last) => last,
};

function walk(event: KeyboardEvent, cursor: Cursor): void {
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  cursor.go(move(cursor.seq, cursor.lastSeq));
}
