/** Owns: who the load peers are: the account, the number that is called, the key. Nothing of it is secret. */
export const account = {
  accountSid: `AC${'0'.repeat(32)}`,
  authToken: 'offline-auth-token',
  number: '+15550100',
  apiKey: 'sk-offline',
} as const;

export const hexadecimal = (value: number, digits: number): string =>
  value.toString(16).padStart(digits, '0');
