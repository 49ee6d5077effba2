// @ts-check
/** Checks a draw against its commitment, by the steps in docs/DRAW.md. */
import { serverNow } from '../lib/clock.js';
import { localStore } from '../lib/store.js';
import { $, el, setChildren } from '../lib/dom.js';
import { page } from '../lib/page.js';
import { onsale } from '../lib/session.js';
import { errorText, number, t, time } from '../lib/text.js';
import { onAction, fillSlots, showIf } from './slots.js';

/** Digests computed before the progress is shown again. */
const DIGESTS_PER_BATCH = 1000;

/** @param {string} hex @returns {Uint8Array<ArrayBuffer>} */
const hexToBytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
/** @param {ArrayBuffer} buffer */
const bytesToHex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** @typedef {import('../onsale/types.d.ts').Draw} Draw */
/** @typedef {{ good: boolean, text: string }} Check */

/**
 * Checks a draw.
 * @param {Draw} draw the published draw
 * @param {string[]} entrants the ticket ids on the published list
 * @param {{ ticket: string | null, noted: { commitment: string, at: number } | null, firstPlace: number | null }} mine
 * the reader's ticket id, the commitment that this browser saved before the draw, and the first place it was shown
 * @param {(done: number) => void} [progress]
 * @returns {Promise<{ checks: Check[], place: number | null }>}
 */
export async function verifyDraw(draw, entrants, { ticket, noted, firstPlace }, progress = () => {}) {
  /** @type {Check[]} */
  const checks = [];
  const check = (/** @type {boolean} */ good, /** @type {string} */ yes, /** @type {string} */ no) =>
    checks.push({ good, text: good ? yes : no });
  const secret = hexToBytes(draw.secret ?? '');
  const digest = bytesToHex(await crypto.subtle.digest('SHA-256', secret));
  check(digest === draw.commitment, t('wait.check.secret'), t('wait.check.secret.no'));
  if (noted) {
    const at = time(noted.at, 'full');
    check(noted.commitment === draw.commitment, t('wait.check.noted', { time: at }), t('wait.check.noted.no', { time: at }));
  }
  const listed = new Set(entrants);
  check(
    listed.size === entrants.length && (draw.entrants ?? entrants.length) === entrants.length,
    t('wait.check.list', { n: entrants.length }),
    t('wait.check.list.no'),
  );
  if (ticket === null) return { checks, place: null };
  check(listed.has(ticket), t('wait.check.listed'), t('wait.check.listed.no'));
  if (!listed.has(ticket)) return { checks, place: null };

  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const encoder = new TextEncoder();
  const sign = async (/** @type {string} */ id) => bytesToHex(await crypto.subtle.sign('HMAC', key, encoder.encode(id)));
  const own = await sign(ticket);
  let place = 1;
  for (let from = 0; from < entrants.length; from += DIGESTS_PER_BATCH) {
    const digests = await Promise.all(entrants.slice(from, from + DIGESTS_PER_BATCH).map(sign));
    place += digests.filter((other) => other < own).length;
    progress(Math.min(entrants.length, from + DIGESTS_PER_BATCH));
  }
  checks.push({ good: true, text: t('wait.check.place', { place: number(place), n: entrants.length }) });
  // The first place shown may be better, since others may have left or been admitted, but never worse.
  if (firstPlace !== null)
    check(
      firstPlace <= place,
      t('wait.check.shown', { shown: number(firstPlace) }),
      t('wait.check.shown.no', { shown: number(firstPlace) }),
    );
  return { checks, place };
}

/** Loads and shows the published draw, and saves the commitment the first time. */
async function loadDraw() {
  const published = await onsale.draw(page.schedule_id);
  const key = `onsale.draw.${page.schedule_id}`;
  if (!published.secret && !localStore.get(key)) localStore.set(key, { commitment: published.commitment, at: serverNow() });
  fillSlots('commitment', published.commitment);
  if (published.secret) fillSlots('secret', published.secret);
  showIf('secret', Boolean(published.secret));
  return published;
}

/** Shows the draw, and returns whether it is over. */
export const showDraw = async () => Boolean((await loadDraw()).secret);

/** Sets up the button that checks the draw. @param {() => { ticket: string | null, firstPlace: number | null }} mine */
export function setUpDrawCheck(mine) {
  onAction('check', async (button) => {
    const list = $('[data-slot="checks"]');
    const showChecks = (/** @type {Check[]} */ checks) =>
      setChildren(
        list,
        checks.map(({ good, text }) => el('li', { class: good ? 'good' : 'bad' }, `${good ? '✓' : '✗'} ${text}`)),
      );
    button.setAttribute('aria-disabled', 'true');
    try {
      if (!crypto.subtle) return showChecks([{ good: false, text: t('wait.check.insecure') }]);
      const published = await loadDraw();
      const entrants = await onsale.entrants(page.schedule_id);
      const noted = localStore.get(`onsale.draw.${page.schedule_id}`);
      const onProgress = (/** @type {number} */ done) =>
        setChildren(list, el('li', null, t('wait.check.running', { done: number(done), n: entrants.length })));
      showChecks((await verifyDraw(published, entrants, { noted, ...mine() }, onProgress)).checks);
    } catch (error) {
      showChecks([{ good: false, text: errorText(error) }]);
    } finally {
      button.removeAttribute('aria-disabled');
    }
  });
}
