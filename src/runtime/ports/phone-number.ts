/**
 * Owns: the form in which a phone number is written wherever one is to be dialled.
 * Does not own: what the carrier tells of a caller, which may be no number at all.
 */

/** ITU-T E.164: a plus, the country's code, and 7 to 15 digits in all. */
export const phoneNumber = /^\+[1-9]\d{6,14}$/;
