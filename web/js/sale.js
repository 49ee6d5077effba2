// @ts-check
/** `/` and `/concerts/{id}`: countdowns by the server's clock, live phases and seats left. */
import { announce } from './lib/announce.js';
import { everySecond, serverNow, msUntil } from './lib/clock.js';
import { $, $$, setText, setVisible } from './lib/dom.js';
import './lib/frame.js';
import { page } from './lib/page.js';
import { onsale } from './lib/session.js';
import { countdown, t, time } from './lib/text.js';
import { loadTicket } from './lib/ticket.js';

/** @import * as Api from './onsale/types.d.ts' */

/** Interval between two requests, in ms. Each request refreshes one concert, in turn. */
const LOOK_INTERVAL_MS = 3000;

/** @typedef {Api.Schedule} Schedule */

/** @type {Map<number, Schedule>} the latest known schedules, by id */
const schedules = new Map();
/**
 * The lists to refresh: the shown page of dates of each concert. Past dates do not change.
 * @type {{ concert: number, which: Api.ListPage & { dates: string } }[]}
 */
const lists = [];
for (const { kind, shows, dates: limit, cursor } of page.offer.sections) {
  for (const { concert, schedules: all } of shows) {
    for (const schedule of all) schedules.set(schedule.id, schedule);
    if (all.length > 0 && kind !== 'past') lists.push({ concert: concert.id, which: { dates: 'UPCOMING', limit, cursor } });
  }
}
const shownAt = Date.parse(page.offer.as_of);
let failedSince = Date.parse(page.server_time) - shownAt > 5000 ? shownAt : 0;

/** The phase now: the last answer may be a few seconds old. @param {Schedule} schedule */
function phaseOf({ phase, reservation_available_at: opens, deadline_at: deadline, seats }) {
  if (msUntil(deadline) <= 0) return 'CLOSED';
  if (phase === 'UPCOMING' && seats.total > 0 && msUntil(opens) <= 0) return 'OPEN';
  return phase;
}

/** @type {Record<string, string>} */
const BADGES = { OPEN: 'good', UPCOMING: 'accent', PAUSED: 'warn', SOLD_OUT: 'bad', CLOSED: '' };

/** The text beside the phase. @param {Schedule} schedule @param {string} phase */
function noteText({ reservation_available_at: opens, queue_opens_at: queue, deadline_at: deadline }, phase) {
  if (phase === 'UPCOMING' && msUntil(opens) > 0) {
    const left = msUntil(opens);
    const line =
      msUntil(queue) > 0
        ? t('sale.line.opens', { time: time(queue, msUntil(queue) > 20 * 3600_000 ? 'day' : 'clock') })
        : t('sale.line.open');
    return left > 48 * 3600_000
      ? `${t('sale.opens.at', { time: time(opens, 'day') })} · ${line}`
      : `${t('sale.opens.in', { time: countdown(left) })} · ${line}`;
  }
  if (phase === 'OPEN' || phase === 'PAUSED')
    return msUntil(deadline) < 24 * 3600_000 ? t('sale.ends.in', { time: countdown(msUntil(deadline)) }) : '';
  return '';
}

/** The button's text. @param {Schedule} schedule @param {string} phase */
function actionText({ id, queue_opens_at: queue }, phase) {
  if (loadTicket(id)) return t('sale.go.back');
  if (phase === 'OPEN') return t('sale.go');
  return msUntil(queue) > 0 ? t('sale.go.early') : t('sale.go.line');
}

/** @param {HTMLElement} row @param {Schedule} schedule */
function draw(row, schedule) {
  const phase = phaseOf(schedule);
  if (row.dataset.phase !== phase) {
    if (row.dataset.phase === 'UPCOMING' && phase === 'OPEN') announce(t('sale.opened'), { now: true });
    row.dataset.phase = phase;
  }
  const part = (/** @type {string} */ name) => $(`[data-part="${name}"]`, row);
  const badge = part('phase');
  setText(badge, t(`sale.phase.${phase}`));
  badge.className = BADGES[phase] ? `badge badge-${BADGES[phase]}` : 'badge';
  setText(part('note'), noteText(schedule, phase));
  setText(part('left'), schedule.seats.total > 0 ? t('sale.left', { n: schedule.seats.available }) : t('sale.noseats'));
  const go = part('go');
  if (go) {
    const comes = phase === 'UPCOMING' && msUntil(schedule.reservation_available_at) > 0;
    setVisible(go, phase === 'OPEN' || phase === 'PAUSED' || comes);
    go.classList.toggle('quiet', comes && msUntil(schedule.queue_opens_at) > 0);
    setText(part('do'), actionText(schedule, phase));
  }
  schedule.prices.forEach((price, at) => {
    const cell = $(`[data-price="${at}"]`, row);
    if (cell) setText(cell, t('sale.left', { n: price.available }));
  });
}

function drawAll() {
  for (const row of $$('.date')) {
    const schedule = schedules.get(Number(row.dataset.schedule));
    if (schedule) draw(row, schedule);
  }
  setVisible($('#stale'), failedSince > 0);
  if (failedSince > 0) setText($('#stale'), t('common.stale', { time: time(failedSince, 'exact') }));
}

let turn = 0;
let knownAt = serverNow();

/** Refreshes one concert; the next call refreshes the next one. */
async function refreshNext() {
  if (document.visibilityState === 'hidden' || lists.length === 0) return;
  const { concert, which } = lists[turn++ % lists.length];
  try {
    const { items } = await onsale.schedules(concert, which);
    for (const schedule of items) schedules.set(schedule.id, schedule);
    knownAt = serverNow();
    failedSince = 0;
  } catch (error) {
    // The page keeps the last known data, also if the concert no longer exists.
    failedSince = knownAt;
  }
}

/** Draws the day of each date as a tile, in the reader's time zone. */
function drawTiles() {
  const part = (/** @type {Intl.DateTimeFormatOptions} */ form, /** @type {Date} */ date) =>
    new Intl.DateTimeFormat(page.lang, form).format(date);
  for (const row of $$('.date')) {
    const schedule = schedules.get(Number(row.dataset.schedule));
    if (!schedule) continue;
    const date = new Date(schedule.concert_at);
    setText($('[data-tile="month"]', row), part({ month: 'short' }, date));
    setText($('[data-tile="day"]', row), String(date.getDate()));
    setText($('[data-tile="weekday"]', row), part({ weekday: 'short' }, date));
  }
}

drawTiles();
everySecond(drawAll);
setInterval(refreshNext, LOOK_INTERVAL_MS);
document.addEventListener('visibilitychange', () => refreshNext().then(drawAll));
window.addEventListener('online', () => refreshNext().then(drawAll));

document.documentElement.dataset.ready = '';
