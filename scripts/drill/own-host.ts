/**
 * Owns: making a process believe that it runs on a host of its own: `node --import ./scripts/drill/own-host.ts ...`.
 * Processes of one host look at each other's process ids; those of several machines cannot.
 */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

os.hostname = () => `${process.env.INSTANCE_ID}.drill`;
syncBuiltinESMExports();
