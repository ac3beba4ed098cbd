/**
 * Loaded before the service: nothing is measured or told of calls in that process. What telemetry costs is the difference
 * to one that does. Not for use anywhere else.
 */
import { MeteredCalls } from '../../src/service/call-watch.ts';
import { LoopMeter } from '../../src/telemetry/loop-meter.ts';
import { MediaMeter } from '../../src/telemetry/media-meter.ts';

const nothing = (): void => undefined;

Object.assign(MeteredCalls.prototype, {
  follow: nothing,
  observe: nothing,
  forget: nothing,
  roundTrip: nothing,
  bridged: nothing,
});
Object.assign(LoopMeter.prototype, { start: nothing });
Object.assign(MediaMeter.prototype, { measure: nothing });
