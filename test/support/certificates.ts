/** Certificates for the tests of TLS: an authority of their own, and what it signs. Made by `openssl`. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  certificatePath: string;
  keyPath: string;
}

const openssl = (folder: string, ...words: string[]): void => {
  execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
};

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
  readonly #folder: string;
  readonly #name: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
    openssl(folder, 'req', '-x509', ...newKey, ...files, '-days', '2', '-subj', `/CN=${name}`);
  }

  get certificatePath(): string {
    return join(this.#folder, `${this.#name}.crt`);
  }

  /** `name` becomes the common name, and a name that the certificate is for. */
  sign(name: string): Certificate {
    const place = (extension: string) => join(this.#folder, `${this.#name}-${name}.${extension}`);
    openssl(
      this.#folder,
      'req',
      ...newKey,
      '-keyout',
      place('key'),
      '-out',
      place('csr'),
      '-subj',
      `/CN=${name}`,
    );
    writeFileSync(place('ext'), `subjectAltName=DNS:${name}\n`);
    const signer = [
      '-CA',
      this.certificatePath,
      '-CAkey',
      join(this.#folder, `${this.#name}.key`),
      '-CAcreateserial',
    ];
    const files = ['-in', place('csr'), '-out', place('crt'), '-extfile', place('ext')];
    openssl(this.#folder, 'x509', '-req', ...signer, ...files, '-days', '2');
    return { certificatePath: place('crt'), keyPath: place('key') };
  }
}

export const textOf = (path: string): string => readFileSync(path, 'utf8');
