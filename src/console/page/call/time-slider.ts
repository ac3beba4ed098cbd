/**
 * Owns: the slider over the log, its marks, and the buttons that step and play.
 * Does not own: which entry is looked at (`cursor.ts`).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { offsetText } from '../state/words.ts';
import type { CallModel } from './call-model.ts';
import { type Cursor, type Speed, speeds } from './cursor.ts';

const mostMarks = 200;

export function timeSlider(model: CallModel, cursor: Cursor, marks: TemplateResult): TemplateResult {
  const { seq, lastSeq, isPlaying, isFollowing, base } = cursor;
  const step = model.step(seq);
  const offset = offsetText((step?.entry.at ?? model.startedAt) - model.startedAt);
  const spoken = `Entry ${seq} of ${lastSeq}, at ${offset}: ${step?.entry.type ?? ''}`;
  return html`
    <section class="time" aria-label="Time travel">
      <div class="buttons">
        <button aria-label="First entry" @click=${() => cursor.go(1)}>|◀</button>
        <button aria-label="One entry back" @click=${() => cursor.go(seq - 1)}>◀</button>
        <button class="play" aria-label=${isPlaying ? 'Pause' : 'Play'} @click=${() => toggle(cursor)}>${isPlaying ? '❚❚' : '▶'}</button>
        <button aria-label="One entry on" @click=${() => cursor.go(seq + 1)}>▶|</button>
        <select aria-label="Speed" @change=${(event: Event) => setSpeed(cursor, event)}>${speeds.map((speed) => html`<option value=${speed} ?selected=${speed === cursor.speed}>${speed}×</option>`)}</select>
        ${model.isLive ? html`<button class="now ${isFollowing ? 'on' : ''}" aria-pressed=${isFollowing} @click=${() => cursor.follow()}>Now</button>` : nothing}
        <button aria-pressed=${base !== null} @click=${() => cursor.compare(base === null ? seq : null)}>${base === null ? 'Compare from here' : `Stop comparing with ${base}`}</button>
      </div>
      <div class="track">
        <div class="marks" aria-hidden="true">${marks}</div>
        <input type="range" min="1" max=${lastSeq} .value=${live(String(seq))} aria-label="Entry" aria-valuetext=${spoken}
          @input=${(event: Event) => cursor.go(Number((event.target as HTMLInputElement).value))}>
      </div>
      <output class="at"><strong>${offset}</strong> <span class="dim">${seq} / ${lastSeq}</span></output>
    </section>`;
}

function toggle(cursor: Cursor): void {
  if (cursor.isPlaying) cursor.go(cursor.seq);
  else cursor.play();
}

function setSpeed(cursor: Cursor, event: Event): void {
  cursor.speed = Number((event.target as HTMLSelectElement).value) as Speed;
}

/** Where something went wrong. Drawn anew only where that has changed. */
export function sliderMarks({ view, lastSeq }: CallModel): TemplateResult {
  const marks = view.troubles.slice(-mostMarks);
  return html`${marks.map(({ seq }) => html`<i .style=${`left:${(100 * (seq - 1)) / Math.max(1, lastSeq - 1)}%`}></i>`)}`;
}
