// @ts-check
/** One schedule, with a tab for each thing that an operator does with it. */
import { el, setChildren } from '../lib/dom.js';
import { t, time } from '../lib/text.js';
import { alertsPart, openAlerts } from './alerts.js';
import { showAuditOf } from './audit.js';
import { guestsPart } from './guests.js';
import { livePart } from './live.js';
import { heading, phaseBadge } from './parts.js';
import { reportPart } from './report.js';
import { seatsPart } from './seats.js';
import { get, getTagged } from './api.js';
import { draftBadge, scheduleStrip } from './publish.js';
import { foldingLinks } from './fold.js';
import { forecastPart } from './forecast.js';
import { readinessPart } from './readiness.js';
import { rehearsalPart } from './rehearsal.js';
import { settingsPart } from './settings.js';
import { may } from './role.js';
import { venuePart } from './venue.js';

/**
 * What a tab shows.
 * @typedef {{ schedule: import('./api.js').Schedule, concert: import('./api.js').Concert, onPhase?: (phase: string) => void }} Sale
 */
/** @typedef {(place: HTMLElement, sale: Sale) => Promise<(() => void) | void> | (() => void) | void} Tab */

/** A tab: the end of its address, what it shows, and the least role that it needs. @typedef {[string, Tab, import('./role.js').Role?]} NamedTab */

/** The tabs in the order of an evening: before the sale, during it, and afterwards. @type {Record<string, NamedTab[]>} */
const GROUPS = {
  before: [
    ['venue', venuePart, 'admin'],
    ['seats', seatsPart],
    ['settings', settingsPart],
    ['readiness', readinessPart],
    ['forecast', forecastPart],
    ['rehearsal', rehearsalPart],
  ],
  during: [
    ['', livePart],
    ['alerts', alertsPart],
  ],
  after: [
    ['guests', guestsPart, 'box_office'],
    ['report', reportPart],
    ['audit', (place, { schedule }) => showAuditOf(place, { subject: `schedule ${schedule.id}` })],
  ],
};

/** @param {string} end the end of a tab's address */
const tabName = (end) => t(`admin.tab.${end || 'live'}`);

/** The links to the tabs that the operator may open, in their groups. @param {number} schedule @param {string} current */
function tabLinks(schedule, current) {
  const groups = Object.entries(GROUPS).map(([group, tabs]) => {
    const name = el('span', { class: 'tab-group-name', id: `tabs-${group}` }, t(`admin.tabs.${group}`));
    const links = tabs
      .filter(([, , least = 'viewer']) => may(least))
      .map(([end]) => {
        const href = `#/schedules/${schedule}${end && `/${end}`}`;
        return el('a', { href, 'aria-current': end === current ? 'page' : null }, tabName(end));
      });
    return el('div', { class: 'tab-group', role: 'group', 'aria-labelledby': name.id }, name, el('div', { class: 'tab-links' }, links));
  });
  return el('nav', { class: 'tabs', 'aria-label': t('admin.tabs') }, foldingLinks(tabName(current), ...groups));
}

/** The tab at the end of an address, or a note that it needs another role. @param {string} end @returns {Tab} */
function tabAt(end) {
  const [, tab, least = 'viewer'] = Object.values(GROUPS)
    .flat()
    .find(([name]) => name === end) ?? ['', livePart];
  if (may(least)) return tab;
  return (place) => setChildren(place, el('p', { class: 'strip strip-warn' }, t('admin.norole.text', { role: t(`admin.role.${least}`) })));
}

/** @type {import('../admin.js').Part} */
export async function schedulePart(place, [id], rest) {
  /** @type {import('./api.js').Tagged<import('./api.js').Schedule>} */
  const tagged = await getTagged(`/v1/admin/schedules/${id}`);
  const schedule = tagged.answer;
  /** @type {import('./api.js').Concert} */
  const concert = await get(`/v1/admin/concerts/${schedule.concert_id}`);
  const buyers = el('a', { class: 'button quiet', href: `/schedules/${id}/wait`, target: '_blank', rel: 'noopener' }, t('admin.buyers'));
  const content = el('div', { class: 'tab' });
  const leaving = new AbortController();
  let badge = phaseBadge(schedule.phase);
  const onPhase = (/** @type {string} */ phase) => {
    const now = phaseBadge(phase);
    if (now.className === badge.className) return;
    badge.replaceWith(now);
    badge = now;
  };
  setChildren(
    place,
    heading(concert.title, {
      back: [`/concerts/${concert.id}`, t('admin.back.concert')],
      lead: el(
        'span',
        null,
        time(schedule.concert_at),
        ' ',
        badge,
        ' ',
        draftBadge(schedule),
        ' ',
        el('span', { class: 'id' }, t('admin.schedule.id', { id: String(id) })),
      ),
      actions: schedule.draft || concert.draft ? [] : [buyers],
    }),
    scheduleStrip(tagged, concert),
    tabLinks(schedule.id, rest),
    openAlerts(schedule.id, leaving.signal),
    content,
  );
  try {
    const end = await tabAt(rest)(content, { schedule, concert, onPhase });
    return () => {
      leaving.abort();
      end?.();
    };
  } catch (error) {
    leaving.abort();
    throw error;
  }
}
