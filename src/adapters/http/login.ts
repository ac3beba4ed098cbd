/**
 * Owns: logging in and out: `/login`, `/logout`.
 * Does not own: what a session opens (`admin-access.ts`), the session (`sessions.ts`).
 *
 * Invariants: C3 of `login-tries.ts`, D3 of `admin-access.ts`.
 */
import type { IncomingHttpHeaders } from 'node:http';
import formbody from '@fastify/formbody';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { AdminAccess } from './admin-access.ts';
import { type LoginProblem, loginPage, loginPolicy, problemText } from './login-page.ts';
import { LoginTries, windowMs } from './login-tries.ts';
import { isJson } from './own-origin.ts';
import { endOfSession, operatorName } from './sessions.ts';

/** What happened at the door, for the log of the instance. */
export type AccessFact =
  | { type: 'login.accepted'; name: string }
  | { type: 'login.refused'; why: Exclude<LoginProblem, 'none'> }
  | { type: 'login.ended'; name: string };

export interface LoginOptions {
  access: AdminAccess;
  clock: Clock;
  onFact(fact: AccessFact): void;
}

const fields = z.object({
  token: z.string().max(1_000).default(''),
  name: z.string().max(1_000).default(''),
});

const statuses = { wrongToken: 401, tooManyTries: 429, nameless: 400 } as const;

/** The browser spoke TLS, to us or to whatever stands before us. */
const cameByTls = ({ 'x-forwarded-proto': proto }: IncomingHttpHeaders, protocol: string): boolean =>
  protocol === 'https' || /^https\b/i.test(String(proto ?? ''));

export async function loginRoutes(app: FastifyInstance, options: LoginOptions): Promise<void> {
  await app.register(formbody);
  const login = new Login(options);
  app.get('/login', (request, reply) => login.show(request, reply));
  app.post('/login', (request, reply) => login.take(request, reply));
  app.post('/logout', (request, reply) => login.end(request, reply));
}

class Login {
  readonly #options: LoginOptions;
  readonly #tries: LoginTries;

  constructor(options: LoginOptions) {
    this.#options = options;
    this.#tries = new LoginTries(options.clock);
  }

  show({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
    const isIn = this.#options.access.judge(headers) === 'admitted';
    return isIn ? reply.redirect('/', 303) : page(reply.code(200), 'none');
  }

  take(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { access, onFact } = this.#options;
    const { data } = fields.safeParse(request.body ?? {});
    const name = operatorName.safeParse(data?.name);
    const problem = this.#problemWith(request.ip, data?.token ?? '', name.success);
    if (problem !== null) return this.#refuse(request, reply, problem);
    const session = access.beginSession(name.data ?? '', cameByTls(request.headers, request.protocol));
    onFact({ type: 'login.accepted', name: name.data ?? '' });
    reply.header('set-cookie', session);
    return isJson(request.headers) ? reply.send({ name: name.data }) : reply.redirect('/', 303);
  }

  end({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { access, onFact } = this.#options;
    onFact({ type: 'login.ended', name: access.nameOf(headers) });
    return reply.header('set-cookie', endOfSession()).send({});
  }

  #problemWith(peer: string, token: string, isNamed: boolean): Exclude<LoginProblem, 'none'> | null {
    if (!this.#tries.mayTry(peer)) return 'tooManyTries';
    if (!this.#options.access.isToken(token)) {
      this.#tries.noteWrong(peer);
      return 'wrongToken';
    }
    return isNamed ? null : 'nameless';
  }

  #refuse(
    { headers }: FastifyRequest,
    reply: FastifyReply,
    why: Exclude<LoginProblem, 'none'>,
  ): FastifyReply {
    this.#options.onFact({ type: 'login.refused', why });
    reply.code(statuses[why]);
    if (why === 'tooManyTries') reply.header('retry-after', windowMs / 1_000);
    if (isJson(headers)) return reply.send({ code: 'edge.refused', message: problemText(why) });
    return page(reply, why);
  }
}

const page = (reply: FastifyReply, problem: LoginProblem): FastifyReply =>
  reply
    .header('content-security-policy', loginPolicy)
    .type('text/html; charset=utf-8')
    .send(loginPage(problem));
