/** Owns: a desk that keeps what it was asked, answers as it is told to, and writes down what its streams hand on. */
import type {
  Answer,
  CarrierDesk,
  IncomingCall,
  LineListener,
  RequestedStream,
  StreamStart,
} from '../../../src/runtime/ports/carrier.ts';
import type { Signal } from '../../../src/runtime/ports/signal.ts';

/** What one stream handed on, in order. */
export type Handed =
  | { what: 'audio'; payload: string; timestampMs: number }
  | { what: 'gathered' }
  | { what: 'mark'; name: string }
  | { what: 'signal'; signal: Signal };

export class RecordedListener implements LineListener {
  readonly handed: Handed[] = [];

  onAudio(audio: Uint8Array, timestampMs: number): void {
    this.handed.push({ what: 'audio', payload: Buffer.from(audio).toString('base64'), timestampMs });
  }

  onGathered(): void {
    this.handed.push({ what: 'gathered' });
  }

  onMark(name: string): void {
    this.handed.push({ what: 'mark', name });
  }

  onSignal(signal: Signal): void {
    this.handed.push({ what: 'signal', signal });
  }

  get signals(): Signal[] {
    return this.handed.flatMap((one) => (one.what === 'signal' ? [one.signal] : []));
  }

  get entries(): Signal['entry'][] {
    return this.signals.map(({ entry }) => entry);
  }

  /** The types of what was handed on, signals by their entry. */
  get order(): string[] {
    return this.handed.map((one) => (one.what === 'signal' ? one.signal.entry.type : one.what));
  }

  /** Base64. */
  get payloads(): string[] {
    return this.handed.flatMap((one) => (one.what === 'audio' ? [one.payload] : []));
  }

  get timestamps(): number[] {
    return this.handed.flatMap((one) => (one.what === 'audio' ? [one.timestampMs] : []));
  }
}

export interface Report {
  carrierCallId: string;
  signal: Signal;
  key: string;
}

export class RecordedDesk implements CarrierDesk {
  readonly answered: IncomingCall[] = [];
  /** Whether each that was answered could be put off. */
  readonly mayComeAgain: boolean[] = [];
  readonly continued: string[] = [];
  /** One for each that continued. */
  readonly keys: string[] = [];
  /** One for each that continued. */
  readonly left: (RequestedStream | null)[] = [];
  isElsewhere = false;
  readonly reports: Report[] = [];
  readonly starts: StreamStart[] = [];
  answer: () => Promise<Answer> = async () => ({ do: 'hangUp' });
  next: () => Promise<Answer> = async () => ({ do: 'hangUp' });
  takeReport: () => Promise<void> = async () => undefined;
  admit: (start: StreamStart) => Promise<LineListener | null> = async () => null;

  answerCall(call: IncomingCall, mayComeAgain = false): Promise<Answer> {
    this.answered.push(call);
    this.mayComeAgain.push(mayComeAgain);
    return this.answer();
  }

  continueCall(carrierCallId: string, key: string, left: RequestedStream | null = null): Promise<Answer> {
    this.left.push(left);
    this.continued.push(carrierCallId);
    this.keys.push(key);
    return this.next();
  }

  report(carrierCallId: string, signal: Signal, key: string): Promise<void> {
    this.reports.push({ carrierCallId, signal, key });
    return this.takeReport();
  }

  isCutOff(): boolean {
    return this.isElsewhere;
  }

  admitStream(start: StreamStart): Promise<LineListener | null> {
    this.starts.push(start);
    return this.admit(start);
  }
}
