/**
 * Owns: one pure step of any chart of ours: xstate's transition, with its timers as data and its commands as values.
 * Does not own: what is stepped (`step.ts` for calls, `service-actor.ts` for the process), what xstate does in vain
 * (`light-machine.ts`).
 *
 * Invariants:
 * S1. A timer is data: its name and the moment it is due. XState's own scheduler is never used.
 * S4. A chart may only assign, wait and name commands; anything else is refused.
 */
import {
  type ActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type EventFromLogic,
  type InputFrom,
  type SnapshotFrom,
} from 'xstate';
import { lightened } from './light-machine.ts';
import { GiveUpError } from './ports/errors.ts';

interface RawAction {
  type: string;
  params?: Record<string, unknown>;
}

export interface NamedCommand {
  type: string;
  params: object;
}

export interface Stepper<Machine extends AnyStateMachine, Command extends NamedCommand> {
  begin(input: InputFrom<Machine>): SnapshotFrom<Machine>;
  /** XState moves a snapshot by the machine that made it: of this stepper's, by what is spared (`light-machine.ts`). */
  advance(snapshot: SnapshotFrom<Machine>, event: EventFromLogic<Machine>): SnapshotFrom<Machine>;
  /** The snapshot of a state that was kept, or carried over. @throws where it is no state of the chart */
  resolve(kept: Parameters<Machine['resolveState']>[0]): SnapshotFrom<Machine>;
  /** What the last `begin` or `advance` armed and cancelled is written to `due`; what it asked for is returned. */
  settle(due: Map<string, number>, at: number): Command[];
  /** The timers of a state that no event led to: each active one in full, as of `event`. */
  arm(snapshot: SnapshotFrom<Machine>, event: EventFromLogic<Machine>, at: number): Map<string, number>;
}

const nothing = (): void => undefined;

/**
 * `transition()` of xstate builds a throw-away actor on each call. One inert scope that is used again and again does
 * the same at a fifth of the cost; a test holds the two together.
 */
export function createStepper<Machine extends AnyStateMachine, Command extends NamedCommand>(
  machine: Machine,
  commandTypes: object,
  anyInput: InputFrom<Machine>,
): Stepper<Machine, Command> {
  const light = lightened(machine);
  const inert = createActor(light, { input: anyInput });
  let collected: RawAction[] = [];
  const scope = {
    self: inert,
    system: inert.system,
    id: '',
    sessionId: '',
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: (action: RawAction) => {
      collected.push(action);
    },
  } as unknown as ActorScope<SnapshotFrom<Machine>, EventFromLogic<Machine>>;

  const sort = (action: RawAction, due: Map<string, number>, at: number): Command[] => {
    const { type, params } = action;
    if (Object.hasOwn(commandTypes, type)) return [{ type, params: params ?? {} } as unknown as Command];
    if (type === 'xstate.cancel') due.delete(String(params?.sendId));
    else if (type === 'xstate.raise') {
      // An immediate raise was taken within the step and is listed all the same.
      if (typeof params?.delay === 'number') due.set(String(params.id), at + params.delay);
    } else {
      throw new GiveUpError('log.invalid', `${type}: a chart may only assign, wait and name commands`);
    }
    return [];
  };

  return {
    begin(input) {
      collected = [];
      return light.getInitialSnapshot(scope, input) as SnapshotFrom<Machine>;
    },
    advance(snapshot, event) {
      collected = [];
      const next: AnyMachineSnapshot = light.transition(snapshot, event, scope);
      if (next.status === 'error') throw next.error;
      return next as SnapshotFrom<Machine>;
    },
    resolve: (kept) => light.resolveState(kept) as SnapshotFrom<Machine>,
    settle: (due, at) => collected.flatMap((action) => sort(action, due, at)),
    arm({ _nodes, context }: AnyMachineSnapshot, event, at) {
      const delays: Record<string, unknown> = machine.implementations.delays;
      const delayMs = (delay: unknown): number => {
        const named = typeof delay === 'string' ? delays[delay] : delay;
        return Number(typeof named === 'function' ? named({ context, event }) : named);
      };
      const timers = _nodes.flatMap((node) => node.after);
      return new Map(timers.map(({ eventType, delay }) => [eventType, at + delayMs(delay)]));
    },
  };
}
