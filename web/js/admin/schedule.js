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

/** The tabs by the end of their address, in order, each with the least role that it needs. @type {[string, Tab, import('./role.js').Role?][]} */
const TABS = [
  ['', livePart],
  ['venue', venuePart, 'admin'],
  ['seats', seatsPart],
  ['guests', guestsPart, 'box_office'],
  ['settings', settingsPart],
  ['alerts', alertsPart],
  ['readiness', readinessPart],
  ['forecast', forecastPart],
  ['rehearsal', rehearsalPart],
  ['audit', (place, { schedule }) => showAuditOf(place, { subject: `schedule ${schedule.id}` })],
  ['report', reportPart],
];

/** @type {import('../admin.js').Part} */
export async function schedulePart(place, [id], rest) {
  /** @type {import('./api.js').Tagged<import('./api.js').Schedule>} */
  const tagged = await getTagged(`/v1/admin/schedules/${id}`);
  const schedule = tagged.answer;
  /** @type {import('./api.js').Concert} */
  const concert = await get(`/v1/admin/concerts/${schedule.concert_id}`);
  const shown = TABS.filter(([, , least = 'viewer']) => may(least));
  const tabs = shown.map(([end]) => {
    const href = `#/schedules/${id}${end && `/${end}`}`;
    return el('a', { href, 'aria-current': end === rest ? 'page' : null }, t(`admin.tab.${end || 'live'}`));
  });
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
    el('nav', { class: 'tabs', 'aria-label': t('admin.tabs') }, tabs),
    openAlerts(schedule.id, leaving.signal),
    content,
  );
  const tab = shown.find(([end]) => end === rest)?.[1] ?? livePart;
  try {
    const end = await tab(content, { schedule, concert, onPhase });
    return () => {
      leaving.abort();
      end?.();
    };
  } catch (error) {
    leaving.abort();
    throw error;
  }
}
