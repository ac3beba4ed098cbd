/**
 * Owns: what the page asks of its server, and what it is told as it happens.
 * Does not own: what is done with it.
 */
import type {
  BrowserInstruction,
  CallPage,
  CallView,
  ChartDrawing,
  InstanceFactView,
  InstanceView,
  OperatorCommand,
} from '../../../runtime/ports/operator.ts';

/** The server's refusal, in its words. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function ask<Answer>(
  path: string,
  init: RequestInit = {},
  expected: readonly number[] = [],
): Promise<Answer> {
  const response = await fetch(path, { ...init, credentials: 'same-origin' }).catch(() => null);
  if (response === null) throw new Refusal(0, 'unreachable', 'The server does not answer.');
  // Behind a proxy on loopback who is not let in is told 403; so is a command from elsewhere, which no login would help.
  const mustLogIn = response.status === 401 || (response.status === 403 && init.method === undefined);
  if (mustLogIn) location.assign('/login');
  if (!response.ok && !expected.includes(response.status)) throw await refusalOf(response);
  return (await response.json()) as Answer;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const { code = 'refused', message = `The server answered ${response.status}.` } = await response
    .json()
    .catch(() => ({}));
  return new Refusal(response.status, code, message);
}

const post = <Answer>(path: string, body: object = {}): Promise<Answer> =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const callPath = (callId: string): string => `/api/calls/${encodeURIComponent(callId)}`;
const browserPath = (callId: string): string => `/api/browser-calls/${encodeURIComponent(callId)}`;

export interface Health {
  healthy: boolean;
  summary?: string;
  [detail: string]: unknown;
}

export const server = {
  me: () => ask<{ name: string; needsLogin: boolean }>('/api/me'),
  logOut: () => post('/logout'),
  calls: (query: URLSearchParams) => ask<CallPage>(`/api/calls?${query}`),
  call: (callId: string) => ask<CallView>(callPath(callId)),
  chart: (number: number) => ask<ChartDrawing>(`/api/charts/${number}`),
  command: (callId: string, command: OperatorCommand) => post(`${callPath(callId)}/command`, command),
  exportPath: (callId: string) => `${callPath(callId)}/export`,
  inspectPath: (callId: string) => `${callPath(callId)}/inspect`,
  livePath: (callId: string, after: number) => `${callPath(callId)}/live?after=${after}`,
  instances: () => ask<InstanceView[]>('/api/instances'),
  instanceLog: (query: URLSearchParams) => ask<InstanceFactView[]>(`/api/instances/log?${query}`),
  /** An unhealthy process answers 503 and says why. */
  health: () => ask<Health>('/health', {}, [503]),
  callFromBrowser: () => post<BrowserInstruction>('/api/browser-calls'),
  continueFromBrowser: (callId: string) => post<BrowserInstruction>(`${browserPath(callId)}/continue`),
  leaveFromBrowser: (callId: string) => post(`${browserPath(callId)}/leave`),
};

export type Unlisten = () => void;

const reopenAfterMs = 1_000;

/**
 * Server-sent events. A connection that breaks is opened again, at an address that is asked for anew: it says what has
 * been seen.
 */
export function listen(
  path: () => string,
  handlers: Record<string, (data: unknown) => void>,
  onConnected: (isConnected: boolean) => void,
): Unlisten {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    source = new EventSource(path());
    source.addEventListener('open', () => onConnected(true));
    source.addEventListener('error', () => {
      onConnected(false);
      source?.close();
      timer = setTimeout(open, reopenAfterMs);
    });
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data)));
    }
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
