/**
 * Owns: what was said up to an entry, with what was heard of it and what was cut.
 * Does not own: what is known of a line (`line-state.ts`).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { LineView } from '../../../runtime/ports/operator.ts';
import { offsetText } from '../state/words.ts';
import type { CallModel } from './call-model.ts';
import { type LineState, lineAt } from './line-state.ts';

const shownLines = 40;

const speakers = { caller: 'Caller', agent: 'Agent', tool: 'Tool', operator: 'Operator' } as const;

export class Transcript {
  #most = shownLines;

  draw(model: CallModel, seq: number, redraw: () => void): TemplateResult {
    const lines = model.linesUpTo(seq, this.#most);
    const earlier = model.lineCount(seq) - lines.length;
    const more = (): void => {
      this.#most += 200;
      redraw();
    };
    return html`
      <section class="panel transcript-panel" aria-labelledby="transcript-title">
        <div class="head"><h2 id="transcript-title">Transcript</h2><span class="dim">struck through: never heard</span></div>
        <div class="scroll lines" tabindex="0" role="group" aria-label="Transcript; scrolls">
          ${earlier > 0 ? html`<button class="quiet" @click=${more}>${earlier} earlier lines</button>` : nothing}
          <ol>${lines.map((line) => lineRow(line, lineAt(line, seq), model.startedAt))}</ol>
          ${lines.length === 0 ? html`<p class="dim">Nothing has been said yet.</p>` : nothing}
        </div>
      </section>`;
  }

  /** The newest line stays in sight. */
  drawn(): void {
    const frame = document.querySelector<HTMLElement>('.transcript-panel .lines');
    if (frame) frame.scrollTop = frame.scrollHeight;
  }
}

const lineRow = (
  line: LineView,
  state: LineState,
  startedAt: number,
): TemplateResult => html`<li class="line ${line.who}">
  <span class="who">${speakers[line.who]}</span>
  <span class="when">${offsetText(line.at - startedAt)}</span>
  <span class="said">${wordsOf(line, state)}</span>
</li>`;

function wordsOf({ who }: LineView, { heard, unheard, isErased, isCut, outcome }: LineState): TemplateResult {
  if (isErased) return html`<em class="dim">erased</em>`;
  const none =
    heard === '' && unheard === ''
      ? html`<em class="dim">${who === 'agent' ? 'speaks…' : 'no words yet'}</em>`
      : nothing;
  const rest = isCut
    ? html`<del><span class="hidden">never heard: </span>${unheard}</del>`
    : html`<span class="coming">${unheard}</span>`;
  return html`${none}${heard}${unheard === '' ? nothing : rest}${isCut ? html` <span class="tag warn">cut</span>` : nothing}${outcome ? html` <span class="tag ${outcome.outcome === 'completed' ? 'good' : 'bad'}">${outcome.outcome}</span> <span class="dim">${outcome.text ?? ''}</span>` : nothing}`;
}
