// @ts-check
/** The alerts of a sale: those that last, on every page of the sale, and the list of all. */
import { announce } from '../lib/announce.js';
import { el, setChildren } from '../lib/dom.js';
import { decimal, hasText, number, t, time } from '../lib/text.js';
import { get } from './api.js';
import { card, runOnce } from './parts.js';

/** @typedef {import('../onsale/types.d.ts').Alert} Alert */
/** @typedef {import('../onsale/types.d.ts').List<Alert>} Page */

/** Interval between two looks, in ms. */
const INTERVAL_MS = 5000;
/** Kinds that are no harm. */
const NEWS = ['SOLD_OUT'];

/** @param {number} schedule @param {string} [query] */
const path = (schedule, query = '') => `/v1/admin/schedules/${schedule}/alerts${query}`;

/** What an alert says. @param {Alert} alert */
function alertText({ kind, detail }) {
  if (!hasText(`admin.alert.${kind}`)) return kind;
  const figures = Object.fromEntries(
    Object.entries(/** @type {Record<string, unknown>} */ (detail)).map(([name, value]) => [
      name,
      typeof value === 'number' ? (Number.isInteger(value) ? number(value) : decimal(value)) : '–',
    ]),
  );
  return t(`admin.alert.${kind}`, figures);
}

/** A time with its date unless it is today. @param {string} at */
const when = (at) => (time(at, 'date') === time(Date.now(), 'date') ? time(at, 'exact') : `${time(at, 'date')} ${time(at, 'exact')}`);

/**
 * The alerts that last, for every page of a sale. Looks for them while the page is visible.
 * @param {number} schedule @param {AbortSignal} signal
 */
export function openAlerts(schedule, signal) {
  const element = el('div', { class: 'alerts', hidden: true });
  let shown = '';
  /** @type {Set<number>} */
  let known = new Set();
  const look = async () => {
    if (signal.aborted) return;
    if (document.visibilityState === 'visible') {
      /** @type {Page | null} */
      const found = await get(path(schedule, '?open=true&limit=20'), signal).catch(() => null);
      if (signal.aborted) return;
      if (found) show(found.items);
    }
    timer = setTimeout(look, INTERVAL_MS);
  };
  const show = (/** @type {Alert[]} */ alerts) => {
    const key = JSON.stringify(alerts);
    if (key === shown) return;
    shown = key;
    element.hidden = alerts.length === 0;
    setChildren(
      element,
      alerts.map((alert) => strip(alert, schedule)),
    );
    for (const alert of alerts) if (!known.has(alert.id)) announce(alertText(alert), { now: true });
    known = new Set(alerts.map(({ id }) => id));
  };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  signal.addEventListener('abort', () => clearTimeout(timer));
  look();
  return element;
}

/** @param {Alert} alert @param {number} schedule */
function strip(alert, schedule) {
  return el(
    'p',
    { class: `strip ${NEWS.includes(alert.kind) ? 'strip-warn' : 'strip-bad'}`, 'data-alert': alert.kind },
    el('b', null, alertText(alert)),
    ' ',
    t('admin.alert.since', { at: when(alert.begun_at) }),
    ' ',
    hasText(`admin.alert.${alert.kind}.do`) && t(`admin.alert.${alert.kind}.do`),
    ' ',
    el('a', { href: `#/schedules/${schedule}/alerts` }, t('admin.alert.all')),
  );
}

/** @param {Alert} alert */
function item(alert) {
  return el(
    'li',
    { class: 'entry', 'data-alert': alert.kind },
    el('p', { class: 'entry-head' }, el('b', null, alertText(alert))),
    el(
      'p',
      { class: 'entry-who' },
      alert.ended_at
        ? t('admin.alert.lasted', { from: when(alert.begun_at), until: when(alert.ended_at) })
        : t('admin.alert.since', { at: when(alert.begun_at) }),
      alert.schedule_id === null && [' · ', t('admin.alert.store')],
    ),
    hasText(`admin.alert.${alert.kind}.do`) && el('p', { class: 'muted' }, t(`admin.alert.${alert.kind}.do`)),
  );
}

/** All alerts of a sale, newest first. @type {import('./schedule.js').Tab} */
export async function alertsPart(place, { schedule }) {
  const list = el('ol', { class: 'entries' });
  const more = el('button', { type: 'button', class: 'button quiet' }, t('admin.alerts.older'));
  let cursor = '';
  const load = async () => {
    /** @type {Page} */
    const page = await get(path(schedule.id, `?limit=50${cursor}`));
    list.append(...page.items.map(item));
    cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : '';
    more.hidden = cursor === '';
  };
  more.addEventListener('click', () => runOnce(more, load));
  await load();
  setChildren(
    place,
    card(
      t('admin.alerts'),
      el('p', { class: 'hint' }, t('admin.alerts.hint')),
      list.children.length === 0 && el('p', { class: 'muted' }, t('admin.alerts.none')),
      list,
      more,
    ),
  );
}
