/** Owns: an application as Twilio sees it, in memory: it answers webhooks and takes media streams. */
import type {
  Socket,
  SocketClosure,
  SocketRefusal,
  SocketRequest,
} from '../../../../src/runtime/ports/socket.ts';
import {
  ConnectFailure,
  type Exchange,
  type HttpRequest,
  type HttpResponse,
} from '../../../../src/twin/twilio/http/http-message.ts';
import type { MemoryServer } from '../../../../src/twin/twilio/stream/memory-socket.ts';

export interface TakenRequest extends HttpRequest {
  path: string;
  form: Record<string, string>;
}

export type Answer = HttpResponse | 'unreachable' | 'silent';
type Answering = (request: TakenRequest) => Answer | string | Promise<Answer | string>;

export const xml = (body: string, status = 200): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?><Response>${body}</Response>`,
});

export const plain = (status: number, body = ''): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain' },
  body,
});

/** What tests look into. Every message has every field here: whether it is there is what a test finds out. */
interface Message {
  readonly event: string;
  readonly sequenceNumber: string;
  readonly streamSid: string;
  readonly start: { readonly customParameters: Readonly<Record<string, string>> };
  readonly media: { readonly chunk: string; readonly timestamp: string; readonly payload: string };
  readonly mark: { readonly name: string };
}

/** The server's end of one media stream. */
export class TakenStream {
  readonly request: SocketRequest;
  readonly messages: Message[] = [];
  readonly times: number[] = [];
  readonly raw: (string | Uint8Array)[] = [];
  closure: SocketClosure | null = null;
  pongs = 0;
  socket!: Socket;

  constructor(request: SocketRequest) {
    this.request = request;
  }

  get sid(): string {
    return this.of('start')[0]!.streamSid;
  }

  of(event: string): Message[] {
    return this.messages.filter((message) => message.event === event);
  }

  sendAudio(audio: Uint8Array): void {
    const payload = Buffer.from(audio).toString('base64');
    this.send({ event: 'media', streamSid: this.sid, media: { payload } });
  }

  sendMark(name: string): void {
    this.send({ event: 'mark', streamSid: this.sid, mark: { name } });
  }

  clear(): void {
    this.send({ event: 'clear', streamSid: this.sid });
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }
}

export class Application {
  readonly requests: TakenRequest[] = [];
  readonly streams: TakenStream[] = [];
  /** What the next upgrade is refused with. */
  refusal: SocketRefusal | null = null;
  readonly #now: () => number;
  readonly #answers = new Map<string, Answering>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Answers requests for a path; a string is the inside of a TwiML response. */
  on(path: string, answer: Answer | string | Answering): void {
    this.#answers.set(path, typeof answer === 'function' ? answer : () => answer);
  }

  /** Requests for a path so far. */
  to(path: string): TakenRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  readonly exchange: Exchange = async (request) => {
    const { pathname } = new URL(request.url);
    const form = Object.fromEntries(new URLSearchParams(request.body));
    const taken = { ...request, path: pathname, form };
    this.requests.push(taken);
    const answer = await (this.#answers.get(pathname) ?? (() => plain(204)))(taken);
    if (answer === 'unreachable') throw new ConnectFailure('connection refused');
    if (answer === 'silent') return await new Promise<HttpResponse>(() => undefined);
    return typeof answer === 'string' ? xml(answer) : answer;
  };

  readonly server: MemoryServer = (request, accept) => {
    const refusal = this.refusal;
    if (refusal !== null) {
      this.refusal = null;
      return refusal;
    }
    const stream = new TakenStream(request);
    stream.socket = accept({
      onMessage: (data) => this.#take(stream, data),
      onClose: (closure) => {
        stream.closure = closure;
      },
      onPong: () => {
        stream.pongs += 1;
      },
    });
    this.streams.push(stream);
    return undefined;
  };

  #take(stream: TakenStream, data: string | Uint8Array): void {
    stream.raw.push(data);
    if (typeof data !== 'string') return;
    try {
      stream.messages.push(JSON.parse(data));
      stream.times.push(this.#now());
    } catch {
      // garbage on purpose: it is in `raw`
    }
  }
}
