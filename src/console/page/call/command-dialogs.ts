/**
 * Owns: what an operator can do to a call, each asked once more before it is done.
 * Does not own: the doing (the server).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { OperatorCommand } from '../../../runtime/ports/operator.ts';
import type { Redraw } from '../state/scene.ts';
import { server } from '../state/server.ts';

type Name = OperatorCommand['do'];

interface Form {
  button: string;
  title: string;
  says: string;
  confirm: string;
  isGrave: boolean;
  /** Of a call that is over, or of one that is live. */
  whenOver: boolean;
  field?: { label: string; hint: string; type: 'tel' | 'words' };
  done: string;
}

const forms: Readonly<Record<Name, Form>> = {
  say: {
    button: 'Say…',
    title: 'Let the agent say something',
    says: 'The agent says these words in its own voice, as soon as nobody speaks.',
    confirm: 'Say it',
    isGrave: false,
    whenOver: false,
    field: { label: 'Words', hint: 'at most 500 characters', type: 'words' },
    done: 'The agent has been asked to say it.',
  },
  transfer: {
    button: 'Transfer…',
    title: 'Put the caller through',
    says: 'The agent leaves the call. If nobody can be reached, the caller comes back to it.',
    confirm: 'Put through',
    isGrave: true,
    whenOver: false,
    field: { label: 'Number', hint: 'with country code, like +441632960001', type: 'tel' },
    done: 'The transfer has been asked for.',
  },
  move: {
    button: 'Move…',
    title: 'Move the call to another process',
    says: 'At a quiet moment the call goes on in any other process that is ready. The caller hears less than a second of silence.',
    confirm: 'Move it',
    isGrave: false,
    whenOver: false,
    done: 'The move has been asked for.',
  },
  hangUp: {
    button: 'Hang up…',
    title: 'Hang up on the caller',
    says: 'The agent says goodbye where it can, and the call ends. This cannot be undone.',
    confirm: 'Hang up',
    isGrave: true,
    whenOver: false,
    done: 'The hang-up has been asked for.',
  },
  erase: {
    button: 'Erase…',
    title: 'Erase the personal data of this call',
    says: 'Numbers, words, tool arguments and results are gone for good, in every copy that the journal keeps. The log stays and folds as before.',
    confirm: 'Erase for good',
    isGrave: true,
    whenOver: true,
    done: 'The erasure has been asked for.',
  },
};

export class CommandDialogs {
  readonly #callId: string;
  readonly #redraw: Redraw;
  #open: Name | null = null;
  #problem: string | null = null;
  #said: string | null = null;
  #isBusy = false;

  constructor(callId: string, redraw: Redraw) {
    this.#callId = callId;
    this.#redraw = redraw;
  }

  buttons(isOver: boolean): TemplateResult {
    const names = (Object.keys(forms) as Name[]).filter((name) => forms[name].whenOver === isOver);
    return html`${names.map((name) => html`<button class=${forms[name].isGrave ? 'grave' : ''} @click=${() => this.#show(name)}>${forms[name].button}</button>`)}`;
  }

  draw(): TemplateResult {
    return html`<p class="notice" role="status">${this.#said ?? ''}</p>${this.#dialog()}`;
  }

  #dialog(): TemplateResult {
    const name = this.#open;
    const form = name && forms[name];
    return html`<dialog id="command" aria-labelledby="command-title" @close=${() => this.#closed()}>
      ${
        form
          ? html`<form @submit=${(event: Event) => void this.#send(event)}>
        <h2 id="command-title">${form.title}</h2>
        <p>${form.says}</p>
        ${form.field ? fieldView(form.field) : nothing}
        ${this.#problem ? html`<p class="band bad" role="alert">${this.#problem}</p>` : nothing}
        <div class="choices">
          <button type="button" @click=${close}>Cancel</button>
          <button class="primary ${form.isGrave ? 'grave' : ''}" ?disabled=${this.#isBusy}>${form.confirm}</button>
        </div>
      </form>`
          : nothing
      }
    </dialog>`;
  }

  #show(name: Name): void {
    this.#open = name;
    this.#problem = null;
    this.#redraw();
    requestAnimationFrame(() => dialogElement()?.showModal());
  }

  #closed(): void {
    this.#open = null;
    this.#redraw();
  }

  async #send(event: Event): Promise<void> {
    event.preventDefault();
    const name = this.#open;
    if (!name) return;
    const value = String(new FormData(event.target as HTMLFormElement).get('value') ?? '').trim();
    this.#isBusy = true;
    try {
      await server.command(this.#callId, commandOf(name, value));
      this.#said = forms[name].done;
      close();
    } catch (error) {
      this.#problem = (error as Error).message;
    }
    this.#isBusy = false;
    this.#redraw();
  }
}

function commandOf(name: Name, value: string): OperatorCommand {
  if (name === 'transfer') return { do: name, number: value.replaceAll(/[\s()-]/g, '') };
  if (name === 'say') return { do: name, words: value };
  return { do: name };
}

const fieldView = ({ label, hint, type }: NonNullable<Form['field']>): TemplateResult =>
  html`<label>${label} <span class="dim">${hint}</span>${
    type === 'tel'
      ? html`<input name="value" type="tel" autocomplete="off" required pattern="\\+?[0-9 ()\\-]{4,20}" autofocus>`
      : html`<textarea name="value" rows="3" maxlength="500" required autofocus></textarea>`
  }</label>`;

const dialogElement = (): HTMLDialogElement | null => document.querySelector('dialog#command');

function close(): void {
  dialogElement()?.close();
}
