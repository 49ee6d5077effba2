// @ts-check
/** All concerts with their schedules, and a warning if the service is not healthy. */
import { el, setChildren } from '../lib/dom.js';
import { number, t, time } from '../lib/text.js';
import { heading, phaseBadge } from './parts.js';
import { fetchAll, get } from './api.js';
import { draftBadge } from './publish.js';
import { may } from './role.js';

/** Maximum number of concerts shown, newest first. */
const MAX_CONCERTS = 100;

/** @param {import('./api.js').Schedule} schedule */
function row(schedule) {
  const { sold, total, held } = schedule.seats;
  const part = total > 0 ? Math.round((100 * sold) / total) : 0;
  return el(
    'li',
    null,
    el(
      'a',
      { class: 'sale-row', href: `#/schedules/${schedule.id}` },
      el('span', { class: 'sale-when' }, time(schedule.concert_at, 'full')),
      draftBadge(schedule) ?? phaseBadge(schedule.phase),
      el('span', { class: 'sale-sold' }, t('admin.overview.sold', { sold, total, held })),
      el('span', { class: 'meter', 'aria-hidden': 'true' }, meter(part)),
    ),
  );
}

/** A bar that is filled to `percent`. @param {number} percent */
export function meter(percent) {
  const bar = el('span', { class: 'meter-bar' });
  bar.style.inlineSize = `${Math.min(100, percent)}%`;
  return bar;
}

/** @param {import('./api.js').Concert} concert @param {import('./api.js').Schedule[]} schedules */
function concertCard(concert, schedules) {
  return el(
    'section',
    { class: 'card concert' },
    el(
      'header',
      { class: 'card-head' },
      el('h2', { dir: 'auto' }, el('a', { href: `#/concerts/${concert.id}` }, concert.title)),
      draftBadge(concert),
      concert.status === 'UNAVAILABLE' && el('span', { class: 'badge badge-closed' }, t('admin.concert.UNAVAILABLE')),
    ),
    schedules.length > 0
      ? el('ul', { class: 'sale-rows' }, schedules.map(row))
      : el('p', { class: 'muted' }, t('admin.overview.noschedules')),
    may('admin') && el('p', null, el('a', { href: `#/concerts/${concert.id}/schedules/new` }, t('admin.schedule.new'))),
  );
}

/** A warning if the service is not healthy. */
async function healthWarning() {
  /** @type {import('../onsale/types.d.ts').Health | null} */
  const health = await get('/v1/admin/health').catch(() => null);
  if (!health || health.well) return null;
  return el(
    'p',
    { class: 'strip strip-bad', role: 'alert' },
    t('admin.health.ill'),
    ' ',
    el('a', { href: '#/health' }, t('admin.health.look')),
  );
}

/** @type {import('../admin.js').Part} */
export async function overviewPart(place) {
  /** @type {[import('./api.js').Concert[], HTMLElement | null]} */
  const [concerts, warning] = await Promise.all([fetchAll('/v1/admin/concerts'), healthWarning()]);
  concerts.reverse();
  const shown = concerts.slice(0, MAX_CONCERTS);
  /** @type {import('./api.js').Schedule[][]} */
  const schedules = await Promise.all(shown.map(({ id }) => fetchAll(`/v1/admin/concerts/${id}/schedules`)));
  const add = el('a', { class: 'button', href: '#/concerts/new' }, t('admin.concert.new'));
  setChildren(
    place,
    heading(t('admin.nav.sales'), { lead: t('admin.overview.lead'), actions: may('admin') ? [add] : [] }),
    warning,
    shown.length === 0 && el('p', { class: 'empty' }, t('admin.overview.none')),
    el(
      'div',
      { class: 'concerts' },
      shown.map((concert, at) => concertCard(concert, schedules[at])),
    ),
    concerts.length > MAX_CONCERTS &&
      el('p', { class: 'muted' }, t('admin.overview.more', { shown: number(MAX_CONCERTS), all: number(concerts.length) })),
  );
}
