// Signs access tokens with HS256 and ONSALE_JWT_SECRET, as the service does.

import crypto from 'k6/crypto';
import encoding from 'k6/encoding';

const SECRET = __ENV.ONSALE_JWT_SECRET;
const ISSUER = __ENV.ONSALE_JWT_ISSUER || 'onsale';
// Longer than the longest profile, so that no token expires during a run.
const LIFETIME_SECONDS = 4 * 3600;

/** @param {string} text */
const base64url = (text) => encoding.b64encode(text, 'rawurl');
const HEADER = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT' }));

/** Returns an access token of a user. `role` is `user` or `admin`. @param {number} userId @param {'user' | 'admin'} role */
export function accessToken(userId, role) {
  if (!SECRET) {
    throw new Error('ONSALE_JWT_SECRET is not set: the tests sign the access tokens of their users');
  }
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    aud: 'onsale',
    iss: ISSUER,
    sub: String(userId),
    role,
    iat: now,
    exp: now + LIFETIME_SECONDS,
  };
  const signed = `${HEADER}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${crypto.hmac('sha256', SECRET, signed, 'base64rawurl')}`;
}
