/** Owns: the list of what the phases of a start open, in the order in which they open it. */

import type { Tunnel } from '../adapters/tunnel/ngrok.ts';
import type { TwilioApi } from '../adapters/twilio/api.ts';
import type { LoadedAgent } from '../agent/loaded-agent.ts';
import type { Configuration } from '../config/environment.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import type { Model } from '../runtime/ports/model.ts';
import type { Assembly } from './assembly.ts';
import type { Console } from './console/create-console.ts';
import type { Health } from './health/health.ts';
import type { Instruments } from './instruments.ts';
import type { Servers } from './servers.ts';

export interface Opened extends Servers, Instruments {
  configuration: Configuration;
  agent: LoadedAgent;
  journal: Journal;
  model: Model;
  api: TwilioApi;
  health: Health;
  assembly: Assembly;
  console: Console;
  tunnel: Tunnel;
  instanceLog: { stop(): Promise<void> };
}
