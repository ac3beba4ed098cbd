/**
 * Owns: running a call's documents, one after the other, until there is nothing left to run.
 * Does not own: what a verb does (`verbs.ts`), what ends or updates a call from outside (`call/call.ts`).
 *
 * Invariants:
 * U1. A run ends as soon as its signal is aborted; the answer to a request under way is not looked at.
 * U2. A document that cannot be got is announced as an application error and ends the call.
 * U3. More than 50 redirects with nothing between them end the call (11215).
 */
import { speakingMs } from '../call/announcement.ts';
import type { TwimlDocument } from './document.ts';
import type { DocumentLoader, NextDocument } from './document-loader.ts';
import { type EndStep, goOn, type Stage, type Step, unlessAborted } from './stage.ts';
import { runVerb } from './verbs.ts';

export type RunEnd = Omit<EndStep, 'go'>;

const mostRedirectsInARow = 50;
const apology = 'We are sorry. An application error has occurred. Goodbye.';

/** What a document led to. */
interface Outcome {
  step: Step;
  /** Whether it did nothing but redirect. */
  isBareRedirect: boolean;
}

/** Null where the signal was aborted. */
export async function runTwiml(
  first: NextDocument,
  loader: DocumentLoader,
  stage: Stage,
): Promise<RunEnd | null> {
  let next = first;
  let redirects = 0;
  for (;;) {
    const { step, isBareRedirect } = await loadAndRun(next, loader, stage);
    if (stage.signal.aborted) return null;
    if (step.go === 'end') return step;
    if (step.go === 'on') return { reason: 'documentEnded' };
    redirects = isBareRedirect ? redirects + 1 : 0;
    if (redirects > mostRedirectsInARow) {
      stage.notice(11215, '');
      return await apologise(stage);
    }
    next = step.next;
  }
}

async function loadAndRun(next: NextDocument, loader: DocumentLoader, stage: Stage): Promise<Outcome> {
  const document = await unlessAborted(loader.load(next), stage.signal);
  if (stage.signal.aborted) return { step: goOn, isBareRedirect: false };
  if (document === null) return { step: await apologise(stage), isBareRedirect: false };
  const step = await runVerbs(document, stage);
  return { step, isBareRedirect: document.verbs[0]?.name === 'Redirect' };
}

/** Runs verbs until one leads elsewhere. */
async function runVerbs(document: TwimlDocument, stage: Stage): Promise<Step> {
  for (const warning of document.warnings) stage.notice(12200, warning);
  for (const verb of document.verbs) {
    const step = await runVerb(verb, document, stage);
    if (step.go !== 'on' || stage.signal.aborted) return step;
  }
  return goOn;
}

async function apologise(stage: Stage): Promise<EndStep> {
  stage.answer();
  await stage.announce(apology, speakingMs(apology));
  return { go: 'end', reason: 'applicationError' };
}
