/** Owns: the questions that one region asks of the others, by their places in the chart. */
import { and, not, or, stateIn } from 'xstate';

/** Nobody speaks, nobody is waited for, and no tool runs. */
export const between = and([stateIn({ live: { turn: 'listening', tools: 'idle' } }), 'owesNothing']);

/** The agent is not about to leave the caller. */
export const noFarewell = stateIn({ live: { farewell: 'none' } });

/** As `between`, and no goodbye is under way: another session may take over. */
export const free = and([between, noFarewell]);

/** The agent may say what an operator wants said. */
export const announcementDue = and(['announcementMayCome', noFarewell]);

/** The stream is given up: it brings nothing. */
export const deaf = stateIn({ live: { media: 'restarting' } });

export const nobodySpeaks = or([
  stateIn({ live: { turn: 'listening' } }),
  stateIn({ live: { turn: 'thinking' } }),
]);

/**
 * The caller hears nobody and waits for somebody: for an answer, for a tool, for the model. A caller who is asked to
 * speak may be silent.
 */
export const deadAir = and([
  'hasStream',
  or([
    stateIn({ live: { turn: 'thinking' } }),
    stateIn({ live: { turn: 'agentSpeaking' } }),
    and([or([not('hasModel'), 'toolsOpen']), not(stateIn({ live: { turn: 'callerSpeaking' } }))]),
  ]),
]);
