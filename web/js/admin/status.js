// @ts-check
/** The state of admission as a sentence, with the time of the data; while a store is away, what is still known. */
import { announce } from '../lib/announce.js';
import { el, setAttribute, setText } from '../lib/dom.js';
import { t, time } from '../lib/text.js';
import { get } from './api.js';
import { isQueueDataOld } from './feed.js';
import { paceText } from './pace.js';

/** @typedef {import('./feed.js').News} News */

/** Interval between two looks at which store is away, in ms. */
const LOOK_MS = 5000;

/**
 * Shows the state of admission.
 * @param {AbortSignal} signal
 */
export function admissionStatus(signal) {
  const [text, more, fresh] = [
    el('strong', { class: 'status-text' }),
    el('span', { class: 'status-more' }),
    el('span', { class: 'status-fresh' }),
  ];
  const element = el('p', { class: 'status' }, el('span', { class: 'status-dot', 'aria-hidden': 'true' }), text, more, fresh);
  /** The store that is away, if it is known. @type {string | null} */
  let away = null;
  let lookedAt = 0;
  let before = '';
  /** @type {News | null} */
  let last = null;
  const look = async () => {
    if (performance.now() - lookedAt < LOOK_MS) return;
    lookedAt = performance.now();
    /** @type {import('../onsale/types.d.ts').Health | null} */
    const health = await get('/v1/admin/health', signal).catch(() => null);
    away = health?.stores.find(({ up }) => !up)?.store ?? null;
    if (last && !signal.aborted) show(last);
  };
  const show = (/** @type {News} */ news) => {
    last = news;
    const { stats, state } = news;
    if (state === 'stale') look();
    else away = null;
    const { kind, reason, more: rest } = statusText(news, away);
    setAttribute(element, 'data-kind', kind);
    setText(text, reason);
    setText(more, rest);
    setText(fresh, stats ? t('admin.asof', { at: time(isQueueDataOld(stats) ? stats.line_as_of : stats.server_time, 'exact') }) : '');
    // Only a new kind of trouble is announced.
    if (kind !== before && kind !== 'flowing') announce(reason, { now: true });
    before = kind;
  };
  return { element, show };
}

/**
 * @param {News} news @param {string | null} away
 * @returns {{ kind: string, reason: string, more: string }}
 */
function statusText({ stats, state }, away) {
  if (state === 'lost' || state === 'stale') {
    const cause = state === 'lost' ? 'lost' : away === 'postgresql' ? 'postgresql' : 'stale';
    const since = stats && t('admin.status.known', { at: time(stats.server_time, 'exact') });
    return { kind: 'bad', reason: t(`admin.status.${cause}`), more: since ?? t('admin.status.nothing') };
  }
  return stats ? paceText(stats) : { kind: 'idle', reason: t('admin.status.connecting'), more: '' };
}
