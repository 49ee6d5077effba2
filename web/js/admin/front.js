// @ts-check
/** Who is let in next, and why nobody is where nobody is. */
import { el, fill, say, show } from '../lib/dom.js';
import { duration, number, t, time } from '../lib/text.js';
import { until } from '../lib/clock.js';
import { card, table } from './parts.js';
import { get } from './service.js';

/** How often it is asked, in ms: it costs Redis a call each time. */
const EVERY = 2000;
/** A sequence is epoch × 2^40 + n. */
const SPAN = 2 ** 40;

/** Why it stands still, and until when. @param {Record<string, any>} front */
export function whyText(front) {
  if (front.still === null) return t('admin.still.flowing', { n: front.room });
  const why = t(`admin.still.${front.still}`);
  if (!front.until) return why;
  const left = until(front.until) / 1000;
  const at = t('admin.still.until', { at: time(front.until, left < 86_400 ? 'exact' : 'full') });
  return left > 0 ? `${why} ${at} ${t('admin.still.left', { left: duration(left) })}` : why;
}

/** A place as people say it: its number, with the epoch where there was a loss. @param {number} sequence */
const placeText = (sequence) => {
  const epoch = Math.floor(sequence / SPAN);
  return epoch === 1 ? number(sequence % SPAN) : t('admin.next.place', { n: number(sequence % SPAN), epoch: String(epoch) });
};

/** @param {any} one @param {number} at */
const row = (one, at) => [
  at + 1,
  placeText(one.sequence),
  String(one.user),
  el('span', { class: one.here ? 'badge badge-open' : 'badge badge-paused' }, t(one.here ? 'admin.next.here' : 'admin.next.away')),
  one.back ? t('admin.next.back') : '',
];

/**
 * Asks again and again, as long as the page is looked at.
 * @param {number} schedule
 * @param {AbortSignal} signal
 * @param {(front: Record<string, any> | null) => void} told
 */
export function front(schedule, signal, told) {
  const why = el('p', { class: 'why' });
  const list = el('div', null);
  const old = el('p', { class: 'strip strip-warn', hidden: true });
  let lastAt = 0;
  const look = async () => {
    if (signal.aborted) return;
    if (document.visibilityState === 'visible') {
      try {
        const found = await get(`/v1/admin/schedules/${schedule}/next`, signal);
        lastAt = Date.now();
        show(old, false);
        why.classList.toggle('why-still', found.still !== null && found.still !== 'EMPTY');
        say(why, whyText(found));
        fill(list, found.next.length > 0 ? nextTable(found.next) : el('p', { class: 'muted' }, t(found.still === 'DRAW' ? 'admin.next.draw' : 'admin.next.nobody')));
        told(found);
      } catch {
        if (signal.aborted) return;
        show(old, true);
        say(old, lastAt ? t('admin.next.old', { at: time(lastAt, 'exact') }) : t('admin.next.unknown'));
        told(null);
      }
    }
    timer = setTimeout(look, EVERY);
  };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  signal.addEventListener('abort', () => clearTimeout(timer));
  look();
  const element = card(t('admin.next'), el('p', { class: 'hint' }, t('admin.next.hint')), old, why, list);
  element.classList.add('next');
  return element;
}

/** @param {any[]} next */
function nextTable(next) {
  const heads = [{ text: '#', number: true }, { text: t('admin.next.place.head'), number: true }, { text: t('admin.next.user'), number: true }, { text: t('admin.next.heard') }, { text: '' }];
  return table(t('admin.next'), heads.slice(0, 4).concat(next.some(({ back }) => back) ? [{ text: t('admin.next.note') }] : []), next.map((one, at) => row(one, at).slice(0, next.some(({ back }) => back) ? 5 : 4)));
}
