/**
 * Owns: the page on which one calls the agent from the browser.
 * Does not own: the call (`phone.ts`).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import { addressOf } from '../state/place.ts';
import type { Redraw, Scene } from '../state/scene.ts';
import { clockText } from '../state/words.ts';
import type { Source } from './audio.ts';
import { Phone, type PhoneState } from './phone.ts';

const stateTexts: Readonly<Record<PhoneState, string>> = {
  idle: 'Not on the line',
  calling: 'Calling…',
  talking: 'On the line',
  waiting: 'The line is gone; it comes back…',
  over: 'The call is over',
};

const digits = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

export class TryScene implements Scene {
  readonly title = 'Try';
  readonly #redraw: Redraw;
  readonly #phone: Phone;
  readonly #timer: ReturnType<typeof setInterval>;
  #kind: Source['kind'] = 'mediaDevices' in navigator ? 'microphone' : 'tone';
  #file: File | null = null;
  #beganAt = 0;

  constructor(redraw: Redraw) {
    this.#redraw = redraw;
    this.#phone = new Phone(redraw);
    this.#timer = setInterval(() => this.#isOn && redraw(), 1_000);
  }

  get #isOn(): boolean {
    return ['calling', 'talking', 'waiting'].includes(this.#phone.state);
  }

  leave(): void {
    clearInterval(this.#timer);
    if (this.#isOn) void this.#phone.hangUp();
  }

  draw(): TemplateResult {
    const { state, callId, because, streams } = this.#phone;
    return html`
      <h1 tabindex="-1">Try: call the agent from here</h1>
      <p>The browser plays the carrier: the call goes through the same media stream, chart and log as one from a phone. Your voice goes to the model as a caller’s does, and is billed so.</p>
      <div class="phone">
        <p class="band ${state === 'waiting' ? 'warn' : state === 'talking' ? 'good' : ''}" role="status"><strong>${stateTexts[state]}</strong>${state === 'over' && because ? html` <span>${because}</span>` : nothing}</p>
        <p class="clock numeral" aria-hidden="true">${this.#isOn ? clockText(Date.now() - this.#beganAt) : '0:00'}</p>
        ${this.#isOn ? html`<button class="primary grave" @click=${() => void this.#phone.hangUp()}>Hang up</button>` : html`<button class="primary" ?disabled=${this.#source() === null} @click=${() => this.#call()}>Call</button>`}
        ${this.#sources()}
        ${this.#isOn ? this.#keys() : nothing}
        ${callId ? html`<p><a href=${addressOf({ name: 'call', callId, seq: null })} target="_blank">See this call live</a> <span class="dim">in another tab${streams > 1 ? `; ${streams} streams so far` : ''}</span></p>` : nothing}
      </div>`;
  }

  #sources(): TemplateResult {
    const choice = (kind: Source['kind'], text: string): TemplateResult =>
      html`<label class="check"><input type="radio" name="source" .checked=${this.#kind === kind} @change=${() => this.#choose(kind)}> ${text}</label>`;
    return html`<fieldset ?disabled=${this.#isOn}><legend>What the agent hears</legend>
      ${choice('microphone', 'Microphone')}${choice('tone', 'A tone now and then')}${choice('file', 'A sound file')}
      ${this.#kind === 'file' ? html`<label>Sound file <input type="file" accept="audio/*" @change=${(event: Event) => this.#take(event)}></label>` : nothing}
      <p class="dim">Wear headphones: from loudspeakers the agent may hear itself.</p>
    </fieldset>`;
  }

  #keys(): TemplateResult {
    return html`<div class="keys" role="group" aria-label="Keypad">${digits.map((digit) => html`<button @click=${() => this.#phone.press(digit)}>${digit}</button>`)}</div>`;
  }

  #choose(kind: Source['kind']): void {
    this.#kind = kind;
    this.#redraw();
  }

  #take(event: Event): void {
    this.#file = (event.target as HTMLInputElement).files?.[0] ?? null;
    this.#redraw();
  }

  #source(): Source | null {
    if (this.#kind !== 'file') return { kind: this.#kind };
    return this.#file && { kind: 'file', file: this.#file };
  }

  #call(): void {
    const source = this.#source();
    if (!source) return;
    this.#beganAt = Date.now();
    void this.#phone.call(source);
  }
}
