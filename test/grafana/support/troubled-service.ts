/** Calls at real processes of the service, each rung of the recovery ladder struck while they talk. */
import { phoneNumberOf, renderQuestion } from '../../../scripts/drill/conversation.ts';
import type { CallPlan } from '../../../scripts/drill/plan.ts';
import { Scene } from '../../../scripts/drill/scene.ts';
import { Stage, shopNumber } from '../../../scripts/drill/stage.ts';
import type { FaultPlan } from '../../../src/twin/openai/faults.ts';
import { seededRandom } from '../../../src/twin/random.ts';

const callers = 12;
const callsOverMs = 12_000;
/** Whoever comes after them speaks over the greeting. */
const interrupter = callers;
const longestRunMs = 60_000;

/** So short a session rolls over in each call. */
const sessionMaximumMs = 12_000;
/** The model says what nobody knows, now and then. */
const modelFaults: FaultPlan = () => [{ kind: 'noise', noise: 'unknownEvent', everyEvents: 30 }];
const environment = {
  ROLL_OVER_MS: '7000',
  MODEL_PRICES: 'inputText=4,inputAudio=32,cachedText=0.4,cachedAudio=0.4,outputText=24,outputAudio=64',
};

/** Their streams break off while there is one process. */
const firstPlacedAlone = 5;

function planFor(caller: number): CallPlan {
  if (caller === 1)
    return { faults: { streams: [{ fault: 'mediaGap', forMs: 900, audio: 'lost', afterMs: 3_000 }] } };
  if (caller < firstPlacedAlone) return { faults: { streams: [{ fault: 'reset', afterMs: 2_000 }] } };
  return {};
}

type OnProcess = (addresses: readonly string[]) => void;

export class TroubledService {
  readonly #stage: Stage;
  readonly #onProcess: OnProcess;

  private constructor(stage: Stage, onProcess: OnProcess) {
    this.#stage = stage;
    this.#onProcess = onProcess;
  }

  /**
   * @param collectorUrl takes the spans
   * @param onProcess is told where all processes are scraped, whenever there is one more
   */
  static async start(collectorUrl: string, onProcess: OnProcess): Promise<TroubledService> {
    const stage = await Stage.open({
      name: 'grafana',
      sessionMaximumMs,
      environment: { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl },
      modelFaults,
    });
    const service = new TroubledService(stage, onProcess);
    await service.#startProcess('one');
    return service;
  }

  /** Resolves when all calls have ended. */
  async run(): Promise<void> {
    const scene = new Scene(this.#stage, seededRandom(1));
    this.#interrupt();
    const place = async (): Promise<void> => {
      for (let caller = 0; caller < callers; caller += 1) {
        await scene.until((caller * callsOverMs) / callers);
        scene.place(caller, 'action', planFor(caller));
      }
    };
    await Promise.all([place(), this.#strike(scene)]);
    await scene.when(() => scene.calls.every(({ handle }) => handle.hasEnded), longestRunMs);
    for (const { handle } of scene.calls) handle.hangUp();
  }

  async close(): Promise<void> {
    await this.#stage.close({ keep: false });
  }

  #interrupt(): void {
    this.#stage.twilio.placeCall({
      to: shopNumber,
      from: phoneNumberOf(interrupter),
      script: [
        ...[0, 1, 2].map((repetition) => ({
          say: renderQuestion(interrupter, { question: 1, repetition }),
          after: { agentSpokeMs: 400 },
        })),
        { wait: 4_000 },
        { hangUp: true },
      ],
    });
  }

  async #strike(scene: Scene): Promise<void> {
    await scene.until(8_000);
    for (const call of scene.calls) scene.strikeModel(call, { kind: 'drop', when: { afterMs: 0 } });
    await this.#startProcess('two');
    await scene.until(15_000);
    scene.kill('one');
    await this.#startProcess('three');
    await scene.until(19_000);
    scene.service('two').kill('SIGTERM');
  }

  async #startProcess(instance: string): Promise<void> {
    await this.#stage.start(instance);
    this.#onProcess(this.#stage.services.map(({ adminAddress }) => adminAddress));
  }
}
