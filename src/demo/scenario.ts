/**
 * Owns: the conversation of the demo: what the caller does and what the offline model says.
 * Does not own: the agent (`agents/front-desk.ts`): it is the one that production would run.
 */
import type { CallerScript } from '../twin/caller/script.ts';
import type { Script } from '../twin/openai/script.ts';

export const frontDeskScript: Script = {
  greeting: { say: ['Spoke and Wheel, good day! ', 'How can I help you?'] },
  turns: [
    {
      caller: "Hi, I'd like to know if my bike is ready. The repair number is four seven one two.",
      reply: {
        say: ['One moment, I will look that up.'],
        calls: [{ name: 'find_repair', arguments: { number: '4712' } }],
        afterResult: {
          say: [
            'Good news: your blue touring bike is ready. ',
            'We replaced the chain and both brake pads, ',
            'trued the front wheel, ',
            'and tightened the headset, which had come loose. ',
            'It also got a wash and new grips, ',
            'and you can collect it whenever we are open.',
          ],
        },
      },
    },
    {
      caller: 'Sorry, one moment. How much does it cost?',
      reply: { say: ['Of course. ', 'It comes to forty-five euros, everything included.'] },
    },
    {
      caller: 'Great. What time do you close today?',
      reply: { say: ['We close at six today. ', 'Can I do anything else for you?'] },
    },
    {
      caller: 'Thank you, that is all. Goodbye.',
      reply: {
        say: ['Thank you for calling, and enjoy the ride. Goodbye!'],
        calls: [{ name: 'hang_up', arguments: {} }],
      },
    },
  ],
};

/** Speech by the names of `src/twin/caller/speech`. */
export const callerScript: CallerScript = [
  { say: 'bike-ready', after: 'agentSilent' },
  { say: 'how-much', after: { agentSpokeMs: 7_000 } },
  { say: 'closing-time', after: 'agentSilent' },
  { say: 'goodbye', after: 'agentSilent' },
];
