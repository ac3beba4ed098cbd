/**
 * The front desk of "Spoke and Wheel", a bicycle repair shop: the agent that answers unless AGENT names another one.
 *
 * An agent is this: what it is told, what it says first, and what it can do.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineAgent, defineTool, type Found } from 'holdfast';
import { z } from 'zod';

// A real shop would ask its database.
const repairs = new Map([
  ['4711', { bicycle: 'red city bike', state: 'waiting for a chain, due on Friday' }],
  ['4712', { bicycle: 'blue touring bike', state: 'ready', costs: '45 euros' }],
]);

/** A booking outlives the process that made it: another one looks for it here. Between hosts this must be a database. */
const pickups = 'data/pickups';
const fileOf = (key: string): string => join(pickups, `${encodeURIComponent(key)}.json`);

/** Null where there is none, which is not the same as one that cannot be read. */
const readBooking = (key: string): Promise<string | null> =>
  readFile(fileOf(key), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });

const findRepair = defineTool({
  name: 'find_repair',
  description: 'Looks up a repair by its number: which bicycle it is, and whether it is ready.',
  parameters: z.object({
    number: z
      .string()
      .regex(/^\d{4}$/)
      .describe('The repair number, four digits, as 4712'),
  }),
  // It only reads, so running it again after a crash is harmless.
  effect: 'none',
  timeoutMs: 5_000,
  run: ({ number }) => repairs.get(number) ?? `There is no repair ${number}.`,
});

const bookPickup = defineTool({
  name: 'book_pickup',
  description: 'Books the day on which the customer collects a bicycle that is ready. Ask for the day first.',
  parameters: z.object({
    number: z
      .string()
      .regex(/^\d{4}$/)
      .describe('The repair number, four digits'),
    day: z.string().min(1).describe('The day, in the words of the customer'),
  }),
  // A second booking would be wrong, so each is kept under the key of its tool call ...
  effect: 'once',
  timeoutMs: 5_000,
  async run({ number, day }, { key }) {
    if (repairs.get(number)?.state !== 'ready') return `Repair ${number} cannot be collected yet.`;
    await mkdir(pickups, { recursive: true });
    await writeFile(fileOf(key), JSON.stringify({ repair: number, day }));
    return `Booked: repair ${number}, ${day}.`;
  },
  // ... by which whoever carries on finds it, should the process die before the outcome is in the log. `found: false`
  // means that it is booked now, so it must be certain. Where it is not, this throws, and the outcome is unknown.
  async find(key): Promise<Found> {
    const booking = await readBooking(key);
    return booking === null ? { found: false } : { found: true, result: JSON.parse(booking) };
  },
});

export default defineAgent({
  name: 'front-desk',
  instructions: `You answer the phone of Spoke and Wheel, a bicycle repair shop.
Speak in short, friendly sentences: the caller hears you and cannot read.
You can look up a repair by its number and book the day on which a bicycle is collected.
Never guess at a repair: look it up. Read numbers digit by digit.
For anything else, say that a colleague will call back.`,
  greeting: 'Spoke and Wheel, good day! How can I help you?',
  voice: 'marin',
  turnDetection: { type: 'server_vad', threshold: 0.5, prefixPaddingMs: 300, silenceMs: 500 },
  transcription: { language: 'en' },
  tools: [findRepair, bookPickup],

  // Comes at least once for each call, whichever process is alive then.
  onCallEnded({ startedAt, endedAt, reason }) {
    const seconds = Math.round((endedAt - startedAt) / 1000);
    console.log(`Front desk: a call of ${seconds} s is over (${reason}).`);
  },
});
