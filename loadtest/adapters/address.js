// The address of the shop under test, and what k6 counts as a failed request.

import http from 'k6/http';

/** The setting BASE_URL, without a slash at its end. */
export const BASE = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '');

// A refusal that the API describes is not a failed request. No answer, or another 5xx than 503, is.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 499 }, 503));

// For requests of which any answer counts, or none. k6's types do not name the null that its API has for this.
export const EVERY_STATUS = /** @type {import('k6/http').Params['responseCallback']} */ (/** @type {unknown} */ (null));
