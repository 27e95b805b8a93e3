import { mock } from 'node:test';

/**
 * Until it is disposed, every look at `performance.now` finds a second gone. What is done when some time has passed, such as
 * asking whether to stop, is then done at each chance, on a busy machine as on an idle one.
 */
export function steadyClock(): Disposable {
  let now = performance.now();
  const { mock: mocked } = mock.method(performance, 'now', () => {
    now += 1000;
    return now;
  });
  return { [Symbol.dispose]: () => mocked.restore() };
}
