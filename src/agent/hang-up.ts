/**
 * Owns: how the tool that every agent has is told to the model.
 * Does not own: what it does (the call chart).
 */
import { hangUpTool } from '../machines/call/context.ts';
import type { ToolDeclaration } from '../runtime/ports/model.ts';

export const hangUpDeclaration: ToolDeclaration = {
  name: hangUpTool,
  description:
    'Ends the phone call after your goodbye was heard to its end. Use it in the turn in which you say goodbye, ' +
    'once the caller wants nothing more. Where the caller speaks again, the call goes on.',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  effect: 'idempotent',
};
