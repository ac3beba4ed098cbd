/**
 * Owns: `npm run load`: many calls at once against the service, and what became of them.
 * Does not own: the run (`load/load-run.ts`), the calls (`src/twin/load`), the reports' forms.
 *
 * Exit codes: 0 it was measured, or told how it is used; 1 it could not be measured to the
 * end, or something is left of the calls; 2 the command line is wrong.
 */
import { writeFileSync } from 'node:fs';
import { account } from '../src/twin/load/account.ts';
import { titleOf } from './bench/subject.ts';
import { findLimit } from './load/find-limit.ts';
import { writeHtml } from './load/html.ts';
import { leakOf } from './load/leaks.ts';
import { type LoadReport, type Sample, writeReport } from './load/load-report.ts';
import { LoadRun } from './load/load-run.ts';
import { type LoadCommand, readCommand, usage } from './load/options.ts';
import { Peers } from './load/peers.ts';
import { remoteTarget, startTarget, type Target } from './load/target.ts';

const progressEveryMs = 5_000;

function progress(): (sample: Sample) => void {
  let nextMs = 0;
  return ({ atMs, liveCalls, figures, cpuShare, residentBytes, generatorCpuShare }) => {
    if (atMs < nextMs) return;
    nextMs = atMs + progressEveryMs;
    const cpu = cpuShare === null ? '' : `, ${(100 * cpuShare).toFixed(0)} % of a core`;
    const memory = residentBytes === null ? '' : `, ${(residentBytes / 1e6).toFixed(0)} MB`;
    console.error(
      `${(atMs / 1_000).toFixed(0).padStart(4)} s  ${liveCalls} calls, p99 up ${figures.up.p99.toFixed(1)} ms, down ${figures.down.p99.toFixed(1)} ms${cpu}${memory} (generator ${(100 * generatorCpuShare).toFixed(0)} %)`,
    );
  };
}

async function targetOf(command: LoadCommand, peers: Peers): Promise<Target> {
  const { address, adminAddress, adminToken, subjects } = command;
  if (address === null) return await startTarget(subjects[0], peers.port);
  console.error(`The service at ${address} must have been started with

TWILIO_API_URL=http://${peers.address} OPENAI_REALTIME_URL=ws://${peers.address}/v1/realtime
TWILIO_ACCOUNT_SID=${account.accountSid} TWILIO_AUTH_TOKEN=${account.authToken} OPENAI_API_KEY=${account.apiKey}
`);
  return remoteTarget(address, adminAddress, adminToken);
}

async function load(command: LoadCommand): Promise<LoadReport> {
  const peers = await Peers.start({ host: command.peersHost, port: command.peersPort });
  try {
    const target = await targetOf(command, peers);
    try {
      const title = command.address ?? titleOf(command.subjects[0]);
      return await new LoadRun(peers, target, { ...command, title }, progress()).measure();
    } finally {
      await target.close();
    }
  } finally {
    peers.kill();
  }
}

function tell(report: LoadReport, { jsonFile, htmlFile }: LoadCommand): void {
  console.log(writeReport(report));
  if (jsonFile !== null) writeFileSync(jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  if (htmlFile !== null) writeFileSync(htmlFile, writeHtml(report));
  if (leakOf(report.leaks) !== null) process.exitCode = 1;
}

async function run(command: LoadCommand): Promise<void> {
  if (!command.finds) tell(await load(command), command);
  else for (const subject of command.subjects) await findLimit(subject, command);
}

const command = readCommand(process.argv.slice(2));
if (typeof command === 'string') {
  console.error(command);
  process.exitCode = command === usage ? 0 : 2;
} else {
  await run(command).catch((error: Error) => {
    console.error(`no report: ${error.message}`);
    process.exitCode = 1;
  });
}
