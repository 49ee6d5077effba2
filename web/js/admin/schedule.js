// @ts-check
/** One schedule, with a tab for each thing that an operator does with it. */
import { el, setChildren } from '../lib/dom.js';
import { t, time } from '../lib/text.js';
import { showAuditOf } from './audit.js';
import { livePart } from './live.js';
import { heading, phaseBadge } from './parts.js';
import { reportPart } from './report.js';
import { seatsPart } from './seats.js';
import { forecastPart } from './forecast.js';
import { readinessPart } from './readiness.js';
import { rehearsalPart } from './rehearsal.js';
import { get } from './api.js';
import { settingsPart } from './settings.js';
import { venuePart } from './venue.js';

/**
 * What a tab shows.
 * @typedef {{ schedule: import('./api.js').Schedule, concert: import('./api.js').Concert, onPhase?: (phase: string) => void }} Sale
 */
/** @typedef {(place: HTMLElement, sale: Sale) => Promise<(() => void) | void> | (() => void) | void} Tab */

/** The tabs by the end of their address, in order. @type {[string, Tab][]} */
const TABS = [
  ['', livePart],
  ['venue', venuePart],
  ['seats', seatsPart],
  ['settings', settingsPart],
  ['readiness', readinessPart],
  ['forecast', forecastPart],
  ['rehearsal', rehearsalPart],
  ['audit', (place, { schedule }) => showAuditOf(place, { subject: `schedule ${schedule.id}` })],
  ['report', reportPart],
];

/** @type {import('../admin.js').Part} */
export async function schedulePart(place, [id], rest) {
  /** @type {import('./api.js').Schedule} */
  const schedule = await get(`/v1/schedules/${id}`);
  /** @type {import('./api.js').Concert} */
  const concert = await get(`/v1/concerts/${schedule.concert_id}`);
  const tabs = TABS.map(([end]) => {
    const href = `#/schedules/${id}${end && `/${end}`}`;
    return el('a', { href, 'aria-current': end === rest ? 'page' : null }, t(`admin.tab.${end || 'live'}`));
  });
  const buyers = el('a', { class: 'button quiet', href: `/schedules/${id}/wait`, target: '_blank', rel: 'noopener' }, t('admin.buyers'));
  const content = el('div', { class: 'tab' });
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
        el('span', { class: 'id' }, t('admin.schedule.id', { id: String(id) })),
      ),
      actions: [buyers],
    }),
    el('nav', { class: 'tabs', 'aria-label': t('admin.tabs') }, tabs),
    content,
  );
  const tab = TABS.find(([end]) => end === rest)?.[1] ?? livePart;
  return tab(content, { schedule, concert, onPhase });
}
