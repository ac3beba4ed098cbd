/**
 * Owns: putting the console of a process together: its desk, calls from browsers, what its server is given, and the
 * retention of personal data, which works over the console's handle of the journal.
 * Does not own: the server (`src/adapters/http`), the page (`src/console`), what any part does.
 */
import type { ConsoleOptions } from '../../adapters/http/admin-server.ts';
import { mediaPath } from '../../adapters/http/console-upgrades.ts';
import type { AccessFact } from '../../adapters/http/login.ts';
import { InspectedCall } from '../../adapters/inspector/inspected-call.ts';
import { openJournal } from '../../adapters/journal/open-journal.ts';
import { MediaUpgrades } from '../../adapters/twilio/media-upgrades.ts';
import type { Tally } from '../../adapters/twilio/tally.ts';
import type { Configuration } from '../../config/environment.ts';
import { pageAsset } from '../../console/assets.ts';
import { drawingOf } from '../../console/charts/drawings.ts';
import { accountName } from '../../platform/process.ts';
import { wrapWebSocket } from '../../platform/websocket.ts';
import { eraseCall } from '../../runtime/erasure.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Journal } from '../../runtime/ports/journal.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Assembly } from '../assembly.ts';
import type { CallWatch } from '../call-watch.ts';
import type { InstanceLog } from '../instance-log.ts';
import { Retention } from '../retention.ts';
import { BrowserCalls } from './browser-calls.ts';
import { ConsoleJournal } from './console-journal.ts';
import { exportCall } from './export.ts';
import { LocalSteps } from './local-steps.ts';
import { OperatorCommands } from './operator-commands.ts';
import { ConsoleDesk } from './operator-desk.ts';

export interface ConsoleParts {
  configuration: Pick<Configuration, 'instance' | 'journalUrl' | 'payloadsKeepDays' | 'twilio'>;
  clock: Clock;
  logger: Logger;
  tally: Tally;
  /** The calls' own. */
  journal: Journal;
  assembly: Pick<Assembly, 'desk' | 'live' | 'registry' | 'siblings'>;
  watch: Pick<CallWatch, 'figuresOf'>;
  instanceLog: Pick<InstanceLog, 'note' | 'count'>;
}

export interface Console {
  /** For the admin server. */
  served: ConsoleOptions;
  /** Whoever comes directly on loopback has this name. */
  localName: string;
  browserCalls: BrowserCalls;
  /** Calls that are followed for a page, or were until a moment ago. */
  readonly watchedCalls: number;
  retention: Retention;
  close(): Promise<void>;
}

/** What a caller from a browser has dialled, where the service has no number of its own. */
const noNumber = 'browser';

export function createConsole(parts: ConsoleParts): Console {
  const { configuration, clock, tally, assembly, instanceLog } = parts;
  const browserCalls = new BrowserCalls({
    desk: assembly.desk,
    clock,
    calledNumber: configuration.twilio.phoneNumber ?? noNumber,
  });
  const upgrades = new MediaUpgrades({
    desk: browserCalls.desk,
    clock,
    tally,
    path: new RegExp(`^${mediaPath}(?:\\?|$)`),
    // The admin server has let it in.
    isLetIn: () => true,
    wrapSocket: wrapWebSocket,
  });
  const journal = ownJournal(parts);
  const desk = createDesk(parts, browserCalls, journal);
  const retention = createRetention(parts, journal);
  return {
    served: {
      desk,
      asset: pageAsset,
      onMediaUpgrade: (request, socket, head) => upgrades.handle(request, socket, head),
      onFact: (fact) => noteAccess(instanceLog, fact),
      onCut: () => parts.logger.info({ category: 'service' }, 'a page that did not read was cut off'),
    },
    localName: accountName(),
    browserCalls,
    get watchedCalls() {
      return desk.watchedCalls;
    },
    retention,
    close: async () => {
      desk.stop();
      browserCalls.close();
      await retention.stop();
      await journal.close();
    },
  };
}

/** A journal in memory has one handle, and ends with it. */
function ownJournal({ configuration, clock, journal }: ConsoleParts): ConsoleJournal {
  const { instance, journalUrl } = configuration;
  const open = journalUrl === 'memory:' ? null : () => openJournal(journalUrl, { clock, instance });
  return new ConsoleJournal({ open, shared: journal });
}

function createRetention(
  { configuration, clock, logger, instanceLog }: ConsoleParts,
  journal: ConsoleJournal,
): Retention {
  return new Retention({
    journal: () => journal.open(),
    clock,
    keepDays: configuration.payloadsKeepDays,
    onErased: (run) => instanceLog.note('payloads.erased', { callId: null, by: 'retention', ...run }),
    onTrouble: (error) =>
      logger.warn({ category: 'service', err: error }, 'personal data could not be erased'),
  });
}

function createDesk(parts: ConsoleParts, browser: BrowserCalls, journal: ConsoleJournal): ConsoleDesk {
  const { configuration, clock, logger, assembly, watch } = parts;
  const { live, registry } = assembly;
  return new ConsoleDesk({
    instance: configuration.instance,
    clock,
    journal: () => journal.open(),
    drawingOf,
    local: new LocalSteps({
      watchSteps: (callId, listener) => live.watchSteps(callId, listener),
      durableSeqOf: (callId) => registry.get(callId)?.durableSeq ?? null,
    }),
    figuresOf: (callId) => watch.figuresOf(callId),
    soundOf: (callId) => {
      const call = live.get(callId);
      return call && call.openLines > 0 ? call.bridge.quality() : null;
    },
    commands: operatorCommands(parts),
    browser,
    inspectedCall: (callId) => new InspectedCall(callId),
    exportCall,
    onTrouble: (error) => logger.warn({ category: 'service', err: error }, 'a page could not be told'),
  });
}

/** Commands go to the journal over the calls' own handle: who gives one does not read. */
function operatorCommands({ journal, clock, assembly, instanceLog }: ConsoleParts): OperatorCommands {
  return new OperatorCommands({
    journal,
    siblings: assembly.siblings,
    erase: async (callId, operator) => {
      const erased = await eraseCall(journal, clock, callId, { by: 'operator', operator });
      instanceLog.note('payloads.erased', { callId, by: operator, calls: 1, ...erased });
    },
    onActed: (callId, command, name) => instanceLog.note('operator.acted', { callId, command, name }),
  });
}

function noteAccess(instanceLog: ConsoleParts['instanceLog'], fact: AccessFact): void {
  if (fact.type === 'login.refused') instanceLog.count(fact.type, { where: 'login', why: fact.why });
  else instanceLog.note(fact.type, { name: fact.name });
}
