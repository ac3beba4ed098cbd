/**
 * Owns: how loud both sides of a live call are, now and in the last seconds.
 * Does not own: the measuring (the server).
 */
import { html, type TemplateResult } from 'lit-html';
import type { SoundView } from '../../../runtime/ports/operator.ts';

const kept = 60;
/** Below it nothing is heard. */
const quietestDb = -60;
const width = 240;
const height = 28;

/** 0 to 1 on a scale of loudness, from full scale (RMS). */
const loudness = (level: number): number =>
  level <= 0 ? 0 : Math.max(0, 1 - (20 * Math.log10(level)) / quietestDb);

export class SoundMeter {
  readonly #sounds: SoundView[] = [];

  take(sound: SoundView): void {
    this.#sounds.push(sound);
    if (this.#sounds.length > kept) this.#sounds.shift();
  }

  draw(): TemplateResult {
    return html`
      <section class="panel sound-panel" aria-labelledby="sound-title">
        <div class="head"><h2 id="sound-title">Sound</h2></div>
        ${this.#row('Caller', ({ caller }) => caller)}${this.#row('Agent', ({ agent }) => agent)}
      </section>`;
  }

  #row(name: string, levelOf: (sound: SoundView) => number): TemplateResult {
    const now = Math.round(
      100 * loudness(levelOf(this.#sounds.at(-1) ?? { at: 0, windowMs: 0, caller: 0, agent: 0 })),
    );
    const from = kept - this.#sounds.length;
    const points = this.#sounds.map(
      (sound, index) =>
        `${(((from + index) * width) / kept).toFixed(1)},${(height - loudness(levelOf(sound)) * height).toFixed(1)}`,
    );
    return html`<div class="sound">
      <span class="name">${name}</span>
      <span class="level" role="meter" aria-label=${`${name}’s loudness`} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${now}><i .style=${`width:${now}%`}></i></span>
      <svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true"><polyline points=${points.join(' ')}></polyline></svg>
    </div>`;
  }
}
