/** Owns: the questions that one region asks of the others, by their places in the chart. */
import { and, not, or, stateIn } from 'xstate';

/** Nobody speaks, nobody is waited for, and no tool runs. */
export const between = and([stateIn({ live: { turn: 'listening', tools: 'idle' } }), 'owesNothing']);

/** The agent is not about to leave the caller. */
export const noFarewell = stateIn({ live: { farewell: 'none' } });

/** All of the agent's words have come, and nothing is owed after them: what the line plays needs no session. */
const playsOn = and([stateIn({ live: { turn: 'agentSpeaking', tools: 'idle' } }), 'owesNothingAfterReply']);

/** The session has nothing to say and nobody to hear out, and no goodbye is under way: another one may take over. */
export const betweenTurns = and([or([between, playsOn]), noFarewell]);

/** Another session is open, and serves as soon as this one is gone. */
export const nextStandsBy = or([
  stateIn({ live: { model: { ready: 'standingBy' } } }),
  stateIn({ live: { model: { ready: 'overdue' } } }),
  stateIn({ live: { model: { ready: 'parting' } } }),
]);

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
