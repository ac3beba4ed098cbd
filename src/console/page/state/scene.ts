/**
 * Owns: what a place of the console is to the frame around it.
 * Does not own: the places.
 */
import type { TemplateResult } from 'lit-html';

export interface Scene {
  /** For the window's title. */
  readonly title: string;
  draw(): TemplateResult;
  /** After what was drawn is in the document. */
  drawn?(): void;
  /** A key that no field has taken. */
  onKey?(event: KeyboardEvent): void;
  /** Lets go of everything. */
  leave(): void;
}

/** Asks for a drawing with the next frame. */
export type Redraw = () => void;
