/**
 * Recorded sessions with the live service. They are not part of the project; the variable OPENAI_RECORDINGS names a
 * folder of them, one YAML file each.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { RealtimeMessage } from '../../support/realtime-message.ts';

export interface Recording {
  name: string;
  messages: { direction: 'sent' | 'received'; event: RealtimeMessage }[];
}

/** All recordings, or none where no folder of them is named or there. */
export function readRecordings(folder = process.env.OPENAI_RECORDINGS ?? ''): Recording[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ name, messages: messagesOf(readFileSync(join(folder, name), 'utf8')) }));
}

function messagesOf(yaml: string): Recording['messages'] {
  const { interactions } = parse(yaml) as {
    interactions: { direction: 'sent' | 'received'; data: RealtimeMessage }[];
  };
  return interactions.map(({ direction, data }) => ({ direction, event: data }));
}
