import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Environment, loadDotenv } from '../../src/config/dotenv.ts';
import { complaintOf } from './example.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-dotenv-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const load = (environment: Environment): Environment => {
  loadDotenv(environment, directory);
  return environment;
};

describe('the file .env', () => {
  it('sets what the environment does not, the variables of an agent included', () => {
    writeFileSync(join(directory, '.env'), '# mine\nPORT=9000\nSHOP_KEY="a b" # secret\nexport HOST=::1\n');
    expect(load({})).toEqual({ PORT: '9000', SHOP_KEY: 'a b', HOST: '::1' });
  });

  it('gives way to what is set, even to nothing', () => {
    writeFileSync(join(directory, '.env'), 'PORT=9000\nPUBLIC_URL=https://example.com\n');
    expect(load({ PORT: '8000', PUBLIC_URL: '' })).toEqual({ PORT: '8000', PUBLIC_URL: '' });
  });

  it('need not be there', () => {
    expect(load({ PORT: '1' })).toEqual({ PORT: '1' });
  });

  it('is named where it cannot be read', () => {
    mkdirSync(join(directory, '.env'));
    const { code, message } = complaintOf(() => load({}));
    expect(code).toBe('configuration.invalid');
    expect(message).toContain(`${join(directory, '.env')} cannot be read (EISDIR)`);
    expect(message).not.toContain('Where to get it');
  });
});
