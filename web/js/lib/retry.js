// @ts-check
/** Repeats calls that fail for a moment. */
import { OnsaleError, backoff, pause } from '../onsale/call.js';

/**
 * Repeats `call` until it succeeds. Waits longer after each failure, as `backoff` and `Retry-After` say.
 * @template T
 * @param {() => Promise<T>} call
 * @param {object} [how]
 * @param {(error: OnsaleError) => void} [how.onError] called before each wait
 * @param {(error: OnsaleError) => boolean} [how.isTemporary] whether the same call may succeed later
 * @returns {Promise<T>}
 * @throws the first error that is not temporary
 */
export async function retry(call, { onError = () => {}, isTemporary = (error) => error.passing } = {}) {
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      const failure = OnsaleError.from(error);
      if (!isTemporary(failure)) throw error;
      onError(failure);
      await pause(Math.max(failure.retryAfter ?? 0, backoff(failures)));
    }
  }
}
