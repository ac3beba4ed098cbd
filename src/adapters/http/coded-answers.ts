/**
 * Owns: what an operator's page is told of a request that failed: `{code, message}`.
 * Does not own: the codes (`src/runtime/ports/errors.ts`).
 *
 * Invariants:
 * I10. Only what was written for an operator is told: of any other error nothing.
 */
import type { FastifyError, FastifyReply } from 'fastify';
import { z } from 'zod';
import { FixCallError, HoldfastError, RetryError } from '../../runtime/ports/errors.ts';

export interface CodedAnswer {
  status: number;
  code: string;
  message: string;
}

const statuses: Readonly<Record<string, number>> = {
  'call.unknown': 404,
  'call.over': 409,
  'call.live': 409,
};

function statusOf(error: HoldfastError): number {
  if (error instanceof RetryError) return 503;
  return error instanceof FixCallError ? (statuses[error.code] ?? 400) : 500;
}

/** Null: nobody's request was at fault, and nobody outside is to know more. */
export function codedAnswer(error: unknown): CodedAnswer | null {
  if (error instanceof HoldfastError) {
    return { status: statusOf(error), code: error.code, message: error.message };
  }
  if (error instanceof z.ZodError)
    return { status: 400, code: 'edge.refused', message: z.prettifyError(error) };
  const { statusCode } = error as Partial<FastifyError>;
  if (statusCode === undefined || statusCode >= 500) return null;
  return { status: statusCode, code: 'edge.refused', message: 'The request could not be read.' };
}

export function answerError(
  error: unknown,
  reply: FastifyReply,
  onError: (error: unknown) => void,
): FastifyReply {
  const answer = codedAnswer(error);
  if (answer === null || answer.status === 500) onError(error);
  if (answer === null) return reply.code(500).send();
  const { status, code, message } = answer;
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify({ code, message }));
}
