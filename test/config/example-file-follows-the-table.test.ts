import { expect, it } from 'vitest';
import { settingVariables } from '../../src/config/settings.ts';
import type { Variable } from '../../src/config/variable.ts';
import { serviceVariables } from '../../src/config/variables.ts';

const heading = `# Copy this file to .env and fill it in. A variable that the environment sets wins over .env.
# What is commented out is optional; where it shows a value, that is the default.`;
const boundsHeading = `# The bounds of a call, in milliseconds where the name ends in MS.`;

function describeVariable([name, { purpose, origin, required, secret, initial }]: [
  string,
  Variable,
]): string {
  const notes = [required ? 'Required.' : '', secret ? 'Secret.' : '', origin ?? ''].filter(
    (note) => note !== '',
  );
  return [
    `# ${purpose}`,
    ...(notes.length > 0 ? [`# ${notes.join(' ')}`] : []),
    `${required ? '' : '# '}${name}=${initial ?? ''}`,
  ].join('\n');
}

// After a change of the table: vitest run test/config --update
it('.env.example documents each variable, as the table has it', async () => {
  const content = [
    heading,
    ...Object.entries<Variable>(serviceVariables).map(describeVariable),
    boundsHeading,
    ...Object.entries(settingVariables).map(describeVariable),
  ];
  await expect(`${content.join('\n\n')}\n`).toMatchFileSnapshot('../../.env.example');
});

it('each variable that this project promises is in the table', () => {
  const promised =
    'HOST PORT ADMIN_HOST ADMIN_PORT ADMIN_TOKEN PUBLIC_URL NGROK_AUTHTOKEN TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN ' +
    'TWILIO_API_URL TWILIO_PHONE_NUMBER TWILIO_FALLBACK_URL OPENAI_API_KEY OPENAI_MODEL OPENAI_REALTIME_URL ' +
    'JOURNAL_URL PAYLOADS_KEEP_DAYS INSTANCE_ID AGENT LOG_LEVEL FALLBACK_TRANSFER_TO DRAIN_MS CALLS_LIMIT ' +
    'WORKERS AUDIO_BUDGET_MS EVENT_LOOP_BUDGET_MS MEMORY_BUDGET QUALITY_BUDGET ' +
    'MODEL_PRICES OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_HEADERS';
  expect(Object.keys(serviceVariables).sort()).toEqual(promised.split(' ').sort());
});
