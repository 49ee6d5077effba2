// @ts-check
/** One schedule: its sale now, its settings, its seats, its report. */
import { el, fill } from '../lib/dom.js';
import { t, time } from '../lib/text.js';
import { auditOf } from './audit.js';
import { livePart } from './live.js';
import { heading, phaseBadge } from './parts.js';
import { reportPart } from './report.js';
import { seatsPart } from './seats.js';
import { get } from './service.js';
import { settingsPart } from './settings.js';
import { venuePart } from './venue.js';

/** What a tab is given. @typedef {{ schedule: import('./service.js').Schedule, concert: import('./service.js').Concert }} Sale */
/** @typedef {(place: HTMLElement, sale: Sale) => Promise<(() => void) | void> | (() => void) | void} Tab */

/** The tabs by the ends of their addresses, in their order. @type {[string, Tab][]} */
const TABS = [
  ['', livePart],
  ['venue', venuePart],
  ['seats', seatsPart],
  ['settings', settingsPart],
  ['audit', (place, { schedule }) => auditOf(place, { subject: `schedule ${schedule.id}` })],
  ['report', reportPart],
];

/** @type {import('../admin.js').Part} */
export async function schedulePart(place, [id], rest) {
  const schedule = await get(`/v1/schedules/${id}`);
  const concert = await get(`/v1/concerts/${schedule.concert_id}`);
  const tabs = TABS.map(([end]) => {
    const href = `#/schedules/${id}${end && `/${end}`}`;
    return el('a', { href, 'aria-current': end === rest ? 'page' : null }, t(`admin.tab.${end || 'live'}`));
  });
  const buyers = el('a', { class: 'button quiet', href: `/schedules/${id}/wait`, target: '_blank', rel: 'noopener' }, t('admin.buyers'));
  const inside = el('div', { class: 'tab' });
  let badge = phaseBadge(schedule.phase);
  const onPhase = (/** @type {string} */ phase) => {
    const now = phaseBadge(phase);
    if (now.className === badge.className) return;
    badge.replaceWith(now);
    badge = now;
  };
  fill(
    place,
    heading(concert.title, {
      back: [`/concerts/${concert.id}`, t('admin.back.concert')],
      lead: el('span', null, time(schedule.concert_at), ' ', badge, ' ', el('span', { class: 'id' }, t('admin.schedule.id', { id: String(id) }))),
      actions: [buyers],
    }),
    el('nav', { class: 'tabs', 'aria-label': t('admin.tabs') }, tabs),
    inside,
  );
  const tab = TABS.find(([end]) => end === rest)?.[1] ?? livePart;
  return tab(inside, { schedule, concert, onPhase });
}
