/** Owns: the version of this code, for what is told to others. A test holds it to `package.json`. */
export const version = '0.2.0';
