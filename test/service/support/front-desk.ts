/** What Twilio's webhooks reach of a process of the rig. */
import { FrontDesk } from '../../../src/adapters/twilio/front-desk.ts';
import { Tally } from '../../../src/adapters/twilio/tally.ts';
import { callerNumber, callSid, type Process, type Rig, shopNumber } from '../rig.ts';

export const frontDeskOf = ({ clock }: Rig, { desk }: Process, fallbackUrl: string | null = null) =>
  new FrontDesk({ desk, clock, tally: new Tally(clock, () => undefined), fallbackUrl });

export const fieldsOf = (CallStatus?: 'in-progress', CallSid = callSid()) => ({
  CallSid,
  From: callerNumber,
  To: shopNumber,
  CallStatus,
});
