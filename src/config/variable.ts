/**
 * Owns: what is known of one environment variable, and the three ways in which one may be absent.
 * Does not own: which variables there are (`variables.ts`, `settings.ts`), how they are read (`environment.ts`).
 *
 * Invariants:
 * V1. A schema's messages complete the sentence that the variable's name begins, and never hold its value.
 */
import { z } from 'zod';

/** One environment variable. `Value` is what its text is read as. */
export interface Variable<Value = unknown> {
  /** What it is for, as a sentence. */
  readonly purpose: string;
  /** Where a person finds its value; null where it is theirs to choose. */
  readonly origin: string | null;
  /** Its value lets whoever reads it act in the owner's name. */
  readonly secret: boolean;
  /** Absent, it stops the start. */
  readonly required: boolean;
  /** The text that stands in for an absent one. */
  readonly initial: string | null;
  /** Undefined stands for an absent variable. */
  readonly schema: z.ZodType<Value, string | undefined>;
}

/** What every kind of variable says of itself. */
export interface Description<Value> {
  purpose: string;
  origin?: string;
  secret?: true;
  schema: z.ZodType<Value, string>;
}

const describe = <Value>({ purpose, origin, secret }: Description<Value>) => ({
  purpose,
  origin: origin ?? null,
  secret: secret ?? false,
});

/** A variable without which nothing starts. */
export const required = <Value>(description: Description<Value>): Variable<Value> => ({
  ...describe(description),
  required: true,
  initial: null,
  schema: z.string('is missing').pipe(description.schema),
});

/** A variable that is read as null where it is absent. */
export const optional = <Value>(description: Description<Value>): Variable<Value | null> => ({
  ...describe(description),
  required: false,
  initial: null,
  schema: description.schema.optional().transform((value) => value ?? null),
});

/** A variable that is read as `initial` where it is absent. */
export const defaulted = <Value>(initial: string, description: Description<Value>): Variable<Value> => ({
  ...describe(description),
  required: false,
  initial,
  schema: z.string().prefault(initial).pipe(description.schema),
});

export const wholeNumber = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be a whole number of at least 1 and at most 15 digits')
  .transform(Number);
