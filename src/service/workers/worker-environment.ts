/**
 * Owns: what sets one worker apart from its siblings in the environment: its name as an instance, its admin port.
 * Does not own: the variables (`src/config/variables.ts`).
 */
import type { Environment } from '../../config/dotenv.ts';
import { createInstanceId } from '../../config/instance.ts';
import { serviceVariables } from '../../config/variables.ts';

const highestPort = 65_535;

/**
 * A given name and a made one end in the worker's number. Admin ports follow each other from the configured one.
 *
 * @param number from 1
 */
export function workerEnvironment(
  environment: Environment,
  number: number,
): Environment & { INSTANCE_ID: string } {
  const { INSTANCE_ID: given = '', ADMIN_PORT: port = '' } = environment;
  return {
    ...environment,
    INSTANCE_ID: `${given.trim() || createInstanceId()}-${number}`,
    ADMIN_PORT: adminPort(port.trim() || serviceVariables.ADMIN_PORT.initial || '0', number),
  };
}

/** 0 lets the system choose, for each of them; what is no port is left for the configuration to tell. */
function adminPort(port: string, number: number): string {
  if (!/^\d{1,5}$/.test(port) || Number(port) === 0) return port;
  return String(Math.min(Number(port) + number - 1, Math.max(highestPort, Number(port))));
}
