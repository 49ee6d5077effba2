// @ts-check
/** Asking until there is an answer. */
import { backoff, pause } from '../onsale/call.js';

/**
 * Asks again while the answer may still come, and says meanwhile why there is none. What no asking
 * will change is thrown.
 * @template T
 * @param {() => Promise<T>} call @param {(error: any) => void} waiting
 * @returns {Promise<T>}
 */
export async function patiently(call, waiting) {
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      if (!error.passing) throw error;
      waiting(error);
      await pause(Math.max(error.retryAfter ?? 0, backoff(failures)));
    }
  }
}
