// @ts-check
/** The next people in the queue. */
import { el, setChildren, setText, setVisible } from '../lib/dom.js';
import { number, t, time } from '../lib/text.js';
import { card, table } from './parts.js';
import { get } from './api.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** Interval between two requests, in ms. Each costs a Redis call. */
const INTERVAL_MS = 2000;
/** A sequence is epoch × 2^40 + n. */
const EPOCH_SPAN = 2 ** 40;

/** @typedef {Api.NextInQueue} NextInQueue */
/** @typedef {Api.NextEntry} NextEntry */

/** A place's number, with the epoch if the queue was rebuilt. @param {number} sequence */
const placeText = (sequence) => {
  const epoch = Math.floor(sequence / EPOCH_SPAN);
  return epoch === 1 ? number(sequence % EPOCH_SPAN) : t('admin.next.place', { n: number(sequence % EPOCH_SPAN), epoch: String(epoch) });
};

/** @param {NextEntry} one @param {number} at */
const row = (one, at) => [
  at + 1,
  placeText(one.sequence),
  String(one.user),
  el('span', { class: one.here ? 'badge badge-open' : 'badge badge-paused' }, t(one.here ? 'admin.next.present' : 'admin.next.absent')),
  one.back ? t('admin.next.returned') : '',
];

/**
 * Shows the next people in the queue. Loads them again while the page is visible.
 * @param {number} schedule
 * @param {AbortSignal} signal
 */
export function nextInQueue(schedule, signal) {
  const list = el('div', null);
  const old = el('p', { class: 'strip strip-warn', hidden: true });
  let lastAt = 0;
  const look = async () => {
    if (signal.aborted) return;
    if (document.visibilityState === 'visible') {
      try {
        /** @type {NextInQueue} */
        const found = await get(`/v1/admin/schedules/${schedule}/next`, signal);
        lastAt = Date.now();
        setVisible(old, false);
        setChildren(
          list,
          found.next.length > 0
            ? nextTable(found.next)
            : el('p', { class: 'muted' }, t(found.blocked_by === 'DRAW' ? 'admin.next.draw' : 'admin.next.nobody')),
        );
      } catch {
        if (signal.aborted) return;
        setVisible(old, true);
        setText(old, lastAt ? t('admin.next.old', { at: time(lastAt, 'exact') }) : t('admin.next.unknown'));
      }
    }
    timer = setTimeout(look, INTERVAL_MS);
  };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  signal.addEventListener('abort', () => clearTimeout(timer));
  look();
  const element = card(t('admin.next'), el('p', { class: 'hint' }, t('admin.next.hint')), old, list);
  element.classList.add('next');
  return element;
}

/** @param {NextEntry[]} next */
function nextTable(next) {
  const heads = [
    { text: '#', number: true },
    { text: t('admin.next.place.head'), number: true },
    { text: t('admin.next.user'), number: true },
    { text: t('admin.next.presence') },
    { text: '' },
  ];
  return table(
    t('admin.next'),
    heads.slice(0, 4).concat(next.some(({ back }) => back) ? [{ text: t('admin.next.note') }] : []),
    next.map((one, at) => row(one, at).slice(0, next.some(({ back }) => back) ? 5 : 4)),
  );
}
