/**
 * Owns: the twin as a service sees it: the offline Twilio and the offline OpenAI Realtime at two addresses, and the
 * variables with which a service comes to them in place of the real ones.
 * Does not own: either half (`twilio/`, `openai/`), the service.
 */
import type { Brain } from './openai/brain.ts';
import type { FaultPlan } from './openai/faults.ts';
import { type OpenAiTwin, startOpenAiTwin } from './openai/server.ts';
import type { CallHandle } from './twilio/call/call-handle.ts';
import type { CallPlan } from './twilio/call/call-order.ts';
import { startTwilioTwin, type TwinServer } from './twilio/server.ts';
import type { AfterStream, StreamPolicy } from './twilio/settings.ts';

const offlineAccount = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'offline-auth-token' };
/** The one number of the account. */
const offlineNumber = '+15550100';
const callerNumber = '+15550123';

export interface TwinPlan {
  /** Where the service to be called listens, as `http://127.0.0.1:8080`. */
  service: string;
  /** What the model says and does. */
  brain: Brain;
  /** What goes wrong in sessions with the model, counted from the first connection. */
  modelFaults?: FaultPlan;
  /** What Twilio does when a stream ends. Default: `action`. */
  policy?: AfterStream | StreamPolicy;
  /** Default 0: any that is free. */
  twilioPort?: number;
  /** Default 0: any that is free. */
  openaiPort?: number;
}

/** A call to the one number. */
export type CallToTheService = CallPlan & { from?: string };

export interface Twin {
  twilio: TwinServer;
  openai: OpenAiTwin;
  /** For the service: the account, the number, the key and where both halves are. */
  environment: Record<string, string>;
  placeCall(call?: CallToTheService): CallHandle;
  /** Ends all calls and sessions. Nobody is told. */
  close(): Promise<void>;
}

const addressesAt = (service: string) => ({
  voiceUrl: `${service}/twilio/voice`,
  voiceFallbackUrl: `${service}/twilio/fallback`,
  statusCallback: `${service}/twilio/status`,
});

/** Listens on 127.0.0.1. Rejects where a port is taken. */
export async function startTwin(plan: TwinPlan): Promise<Twin> {
  const { service, brain, modelFaults, policy = 'action', twilioPort = 0, openaiPort = 0 } = plan;
  const openai = await startOpenAiTwin({
    brain,
    port: openaiPort,
    ...(modelFaults && { faults: modelFaults }),
  });
  const twilio = await startTwilioTwin({
    ...offlineAccount,
    policy,
    port: twilioPort,
    allowInsecureStreams: true,
    numbers: { [offlineNumber]: addressesAt(service) },
  }).catch(async (error) => {
    await openai.close();
    throw error;
  });
  return {
    twilio,
    openai,
    environment: {
      TWILIO_ACCOUNT_SID: offlineAccount.accountSid,
      TWILIO_AUTH_TOKEN: offlineAccount.authToken,
      TWILIO_API_URL: twilio.url,
      TWILIO_PHONE_NUMBER: offlineNumber,
      OPENAI_API_KEY: 'sk-offline',
      OPENAI_REALTIME_URL: openai.url,
      PUBLIC_URL: service,
    },
    placeCall: (call = {}) => twilio.placeCall({ to: offlineNumber, from: callerNumber, ...call }),
    close: async () => {
      await Promise.all([twilio.close(), openai.close()]);
    },
  };
}
