import { describe, expect, test } from 'vitest';
import { openLimitMs, openTunnel } from '../../../src/adapters/tunnel/ngrok.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';

const place = { host: '127.0.0.1', port: 8_080, authToken: 'tunnel-secret' };

function listener(url: string | null) {
  const state = { isClosed: false };
  return {
    state,
    url: () => url,
    close: async () => {
      state.isClosed = true;
    },
  };
}

describe('a tunnel', () => {
  test('leads to the public port, and is closed when it is asked to', async () => {
    const clock = new VirtualClock();
    const opened = listener('https://some.ngrok.example');
    const asked: unknown[] = [];
    const forward = async (options: { addr: string; authtoken: string }) => {
      asked.push(options);
      return opened;
    };
    const tunnel = await openTunnel({ ...place, clock, forward });
    expect(tunnel.url).toBe('https://some.ngrok.example');
    expect(asked).toEqual([{ addr: '127.0.0.1:8080', authtoken: 'tunnel-secret' }]);
    await tunnel.close();
    expect(opened.state.isClosed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('that is refused says why, without the token', async () => {
    const forward = () => Promise.reject(new Error('authentication failed: tunnel-secret is no token'));
    const opening = openTunnel({ ...place, clock: new VirtualClock(), forward });
    await expect(opening).rejects.toMatchObject({
      code: 'carrier.unavailable',
      message: 'the tunnel did not open: authentication failed: … is no token',
    });
  });

  test('without an address is none', async () => {
    const opening = openTunnel({ ...place, clock: new VirtualClock(), forward: async () => listener(null) });
    await expect(opening).rejects.toMatchObject({ code: 'carrier.unavailable' });
  });

  test('that does not open in time is given up, and closed should it open later', async () => {
    const clock = new VirtualClock();
    const late = listener('https://some.ngrok.example');
    const answer = Promise.withResolvers<typeof late>();
    const opening = openTunnel({ ...place, clock, forward: () => answer.promise });
    const refused = expect(opening).rejects.toMatchObject({ code: 'carrier.unavailable' });
    await clock.advance(openLimitMs);
    await refused;
    answer.resolve(late);
    await clock.advance(0);
    expect(late.state.isClosed).toBe(true);
  });
});
