/**
 * Owns: running a call's documents, one after the other, until there is nothing left to run.
 * Does not own: what a verb does (`verbs.ts`), what ends or updates a call from outside (`call/call.ts`).
 *
 * Invariants:
 * U1. A run ends when its signal is aborted, at the latest when the delivery under way is over.
 * U2. A document that cannot be got is announced as an application error and ends the call.
 * U3. More than 50 redirects with nothing between them end the call (11215).
 */
import { speakingMs } from '../call/announcement.ts';
import type { CallEndReason } from '../call/call-events.ts';
import type { TwimlDocument } from './document.ts';
import type { DocumentLoader, NextDocument } from './document-loader.ts';
import { goOn, type Stage, type Step } from './stage.ts';
import { runVerb } from './verbs.ts';

export interface RunEnd {
  reason: CallEndReason;
  status?: 'busy' | 'no-answer';
}

const mostRedirectsInARow = 50;
const apology = 'We are sorry. An application error has occurred. Goodbye.';

/** Null where the signal was aborted. */
export async function runTwiml(
  first: NextDocument,
  loader: DocumentLoader,
  stage: Stage,
): Promise<RunEnd | null> {
  let next = first;
  for (let redirects = 0; ; ) {
    const document = await loader.load(next);
    if (stage.signal.aborted) return null;
    if (document === null) return await apologise(stage);
    const { step, ran } = await runDocument(document, stage);
    if (stage.signal.aborted) return null;
    if (step.go === 'end') return step;
    if (step.go === 'on') return { reason: 'documentEnded' };
    redirects = ran === 1 && document.verbs[0]?.name === 'Redirect' ? redirects + 1 : 0;
    if (redirects > mostRedirectsInARow) {
      stage.notice(11215, document.url ?? '');
      return await apologise(stage);
    }
    next = step.next;
  }
}

/** Runs verbs until one leads elsewhere. `ran` counts them. */
async function runDocument(document: TwimlDocument, stage: Stage): Promise<{ step: Step; ran: number }> {
  for (const warning of document.warnings) stage.notice(12200, warning);
  let ran = 0;
  for (const verb of document.verbs) {
    ran += 1;
    const step = await runVerb(verb, document, stage);
    if (step.go !== 'on' || stage.signal.aborted) return { step, ran };
  }
  return { step: goOn, ran };
}

async function apologise(stage: Stage): Promise<RunEnd | null> {
  stage.answer();
  await stage.announce(apology, speakingMs(apology));
  return stage.signal.aborted ? null : { reason: 'applicationError' };
}
