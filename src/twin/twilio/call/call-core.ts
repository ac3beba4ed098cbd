/** Owns: what all calls of a twin share. Does not own: any call. */

import type { TwinSettings } from '../settings.ts';
import type { StreamPorts } from '../stream/media-stream.ts';
import type { WebhookClient, WebhookPorts } from '../webhooks/webhook-client.ts';
import type { Ticker } from './ticker.ts';

export type TwinPorts = StreamPorts & WebhookPorts;

export interface CallCore {
  ports: TwinPorts;
  settings: TwinSettings;
  webhooks: WebhookClient;
  ticker: Ticker;
}
