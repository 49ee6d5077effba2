// @ts-check
/** The sale page: countdowns by the server's clock, phases and seats left as they change. */
import { announce } from './lib/announce.js';
import { everySecond, now, until } from './lib/clock.js';
import { $, $$, say, show } from './lib/dom.js';
import './lib/frame.js';
import { page } from './lib/page.js';
import { onsale } from './lib/session.js';
import { countdown, t, time } from './lib/text.js';
import { ticketOf } from './lib/ticket.js';

/** Between two looks, in ms; the concerts on the page take turns. */
const LOOK = 3000;

/** @type {Map<number, any>} the schedules by their ids, as they were known last */
const schedules = new Map();
/** What to look up again: the same page of dates of each concert. Past dates do not change. @type {{concert: number, which: any}[]} */
const lists = [];
for (const { kind, shows, dates: limit, cursor } of page.offer.sections) {
  for (const { concert, schedules: all } of shows) {
    for (const schedule of all) schedules.set(schedule.id, schedule);
    if (all.length > 0 && kind !== 'past') lists.push({ concert: concert.id, which: { dates: 'UPCOMING', limit, cursor } });
  }
}
const shownAt = Date.parse(page.offer.as_of);
let failedSince = Date.parse(page.server_time) - shownAt > 5000 ? shownAt : 0;

/** The phase by the clock: what was told last may be a few seconds old. @param {any} schedule */
function phaseOf({ phase, reservation_available_at: opens, deadline_at: deadline, seats }) {
  if (until(deadline) <= 0) return 'CLOSED';
  if (phase === 'UPCOMING' && seats.total > 0 && until(opens) <= 0) return 'OPEN';
  return phase;
}

/** @type {Record<string, string>} */
const BADGES = { OPEN: 'good', UPCOMING: 'accent', PAUSED: 'warn', SOLD_OUT: 'bad', CLOSED: '' };

/** What stands beside the phase. @param {any} schedule @param {string} phase */
function note({ reservation_available_at: opens, queue_opens_at: queue, deadline_at: deadline }, phase) {
  if (phase === 'UPCOMING' && until(opens) > 0) {
    const left = until(opens);
    const line = until(queue) > 0 ? t('sale.line.opens', { time: time(queue, until(queue) > 20 * 3600_000 ? 'day' : 'clock') }) : t('sale.line.open');
    return left > 48 * 3600_000 ? `${t('sale.opens.at', { time: time(opens, 'day') })} · ${line}` : `${t('sale.opens.in', { time: countdown(left) })} · ${line}`;
  }
  if (phase === 'OPEN' || phase === 'PAUSED') return until(deadline) < 24 * 3600_000 ? t('sale.ends.in', { time: countdown(until(deadline)) }) : '';
  return '';
}

/** What the button does. @param {any} schedule @param {string} phase */
function action({ id, queue_opens_at: queue }, phase) {
  if (ticketOf(id)) return t('sale.go.back');
  if (phase === 'OPEN') return t('sale.go');
  return until(queue) > 0 ? t('sale.go.early') : t('sale.go.line');
}

/** @param {HTMLElement} row @param {any} schedule */
function draw(row, schedule) {
  const phase = phaseOf(schedule);
  if (row.dataset.phase !== phase) {
    if (row.dataset.phase === 'UPCOMING' && phase === 'OPEN') announce(t('sale.opened'), { now: true });
    row.dataset.phase = phase;
  }
  const part = (/** @type {string} */ name) => $(`[data-part="${name}"]`, row);
  const badge = part('phase');
  say(badge, t(`sale.phase.${phase}`));
  badge.className = BADGES[phase] ? `badge badge-${BADGES[phase]}` : 'badge';
  say(part('note'), note(schedule, phase));
  say(part('left'), schedule.seats.total > 0 ? t('sale.left', { n: schedule.seats.available }) : t('sale.noseats'));
  const go = part('go');
  if (go) {
    const comes = phase === 'UPCOMING' && until(schedule.reservation_available_at) > 0;
    show(go, phase === 'OPEN' || phase === 'PAUSED' || comes);
    go.classList.toggle('quiet', comes && until(schedule.queue_opens_at) > 0);
    say(part('do'), action(schedule, phase));
  }
  schedule.prices.forEach((/** @type {any} */ price, /** @type {number} */ at) => {
    const cell = $(`[data-price="${at}"]`, row);
    if (cell) say(cell, t('sale.left', { n: price.available }));
  });
}

function drawAll() {
  for (const row of $$('.date')) {
    const schedule = schedules.get(Number(row.dataset.schedule));
    if (schedule) draw(row, schedule);
  }
  show($('#stale'), failedSince > 0);
  if (failedSince > 0) say($('#stale'), t('common.stale', { time: time(failedSince, 'exact') }));
}

let turn = 0;
let knownAt = now();

/** Looks at one concert, and at the next one the next time. */
async function look() {
  if (document.visibilityState === 'hidden' || lists.length === 0) return;
  const { concert, which } = lists[turn++ % lists.length];
  try {
    const { items } = await onsale.schedules(concert, which);
    for (const schedule of items) schedules.set(schedule.id, schedule);
    knownAt = now();
    failedSince = 0;
  } catch (error) {
    // A page of a concert that was taken down keeps what was known.
    failedSince = knownAt;
  }
}

/** The day as a tile, in the reader's zone. */
function tiles() {
  const part = (/** @type {Intl.DateTimeFormatOptions} */ form, /** @type {Date} */ date) => new Intl.DateTimeFormat(page.lang, form).format(date);
  for (const row of $$('.date')) {
    const date = new Date(schedules.get(Number(row.dataset.schedule))?.concert_at);
    say($('[data-tile="month"]', row), part({ month: 'short' }, date));
    say($('[data-tile="day"]', row), String(date.getDate()));
    say($('[data-tile="weekday"]', row), part({ weekday: 'short' }, date));
  }
}

tiles();
everySecond(drawAll);
setInterval(look, LOOK);
document.addEventListener('visibilitychange', () => look().then(drawAll));
window.addEventListener('online', () => look().then(drawAll));

document.documentElement.dataset.ready = '';
