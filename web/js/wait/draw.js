// @ts-check
/** The draw: what it is, what was promised before it, and whether the promise was kept. docs/DRAW.md has the steps. */
import { now } from '../lib/clock.js';
import { local } from '../lib/store.js';
import { $, el, fill as put } from '../lib/dom.js';
import { page } from '../lib/page.js';
import { onsale } from '../lib/session.js';
import { errorText, number, t, time } from '../lib/text.js';
import { does, fill, given } from './slots.js';

/** Digests made at a time. */
const AT_ONCE = 1000;

/** @param {string} hex @returns {Uint8Array<ArrayBuffer>} */
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
/** @param {ArrayBuffer} buffer */
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** @typedef {{ good: boolean, text: string }} Check */

/**
 * Holds a draw to its word.
 * @param {{ commitment: string, secret?: string, entrants?: number }} draw as it is published
 * @param {string[]} entrants the ticket ids on the list
 * @param {{ ticket: string | null, noted: { commitment: string, at: number } | null, told: number | null }} mine
 * one's ticket id, the commitment noted before the draw, and the place that was told first
 * @param {(done: number) => void} [progress]
 * @returns {Promise<{ checks: Check[], place: number | null }>}
 */
export async function verify(draw, entrants, { ticket, noted, told }, progress = () => {}) {
  /** @type {Check[]} */
  const checks = [];
  const check = (/** @type {boolean} */ good, /** @type {string} */ yes, /** @type {string} */ no) => checks.push({ good, text: good ? yes : no });
  const secret = bytes(draw.secret ?? '');
  const digest = hex(await crypto.subtle.digest('SHA-256', secret));
  check(digest === draw.commitment, t('wait.check.secret'), t('wait.check.secret.no'));
  if (noted) {
    const at = time(noted.at, 'full');
    check(noted.commitment === draw.commitment, t('wait.check.noted', { time: at }), t('wait.check.noted.no', { time: at }));
  }
  const listed = new Set(entrants);
  check(listed.size === entrants.length && (draw.entrants ?? entrants.length) === entrants.length, t('wait.check.list', { n: entrants.length }), t('wait.check.list.no'));
  if (ticket === null) return { checks, place: null };
  check(listed.has(ticket), t('wait.check.listed'), t('wait.check.listed.no'));
  if (!listed.has(ticket)) return { checks, place: null };

  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const encoder = new TextEncoder();
  const sign = async (/** @type {string} */ id) => hex(await crypto.subtle.sign('HMAC', key, encoder.encode(id)));
  const own = await sign(ticket);
  let place = 1;
  for (let from = 0; from < entrants.length; from += AT_ONCE) {
    const digests = await Promise.all(entrants.slice(from, from + AT_ONCE).map(sign));
    place += digests.filter((other) => other < own).length;
    progress(Math.min(entrants.length, from + AT_ONCE));
  }
  checks.push({ good: true, text: t('wait.check.place', { place: number(place), n: entrants.length }) });
  // Whoever was ahead may have left or been let in before one looked: never the other way round.
  if (told !== null) check(told <= place, t('wait.check.told', { told: number(told) }), t('wait.check.told.no', { told: number(told) }));
  return { checks, place };
}

/** @type {any} */
let published = null;

/** Reads what is published of the draw, and notes the commitment the first time. @returns {Promise<boolean>} whether it is over */
export async function lookAtDraw() {
  published = await onsale.draw(page.schedule_id);
  const key = `onsale.draw.${page.schedule_id}`;
  if (!published.secret && !local.get(key)) local.set(key, { commitment: published.commitment, at: now() });
  fill('commitment', published.commitment);
  if (published.secret) fill('secret', published.secret);
  given('secret', Boolean(published.secret));
  return Boolean(published.secret);
}

/** Sets the check up. @param {() => { ticket: string | null, told: number | null }} mine */
export function drawCheck(mine) {
  does('check', async (button) => {
    const list = $('[data-slot="checks"]');
    const tell = (/** @type {Check[]} */ checks) => put(list, checks.map(({ good, text }) => el('li', { class: good ? 'good' : 'bad' }, `${good ? '✓' : '✗'} ${text}`)));
    button.setAttribute('aria-disabled', 'true');
    try {
      if (!crypto.subtle) return tell([{ good: false, text: t('wait.check.insecure') }]);
      await lookAtDraw();
      const entrants = await onsale.entrants(page.schedule_id);
      const noted = local.get(`onsale.draw.${page.schedule_id}`);
      const running = (/** @type {number} */ done) => put(list, el('li', null, t('wait.check.running', { done: number(done), n: entrants.length })));
      tell((await verify(published, entrants, { noted, ...mine() }, running)).checks);
    } catch (error) {
      tell([{ good: false, text: errorText(error) }]);
    } finally {
      button.removeAttribute('aria-disabled');
    }
  });
}
