// @ts-check
/** Making a schedule: when, and how its line behaves. Its seats come next. */
import { el, fill } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { card, field, form, heading, localInput, zone } from './parts.js';
import { lineFields } from './line-fields.js';
import { get, post } from './service.js';
import { now } from '../lib/clock.js';

const HOUR = 3_600_000;

/** The next full hour, so many hours from now. @param {number} hours */
const proposed = (hours) => localInput((Math.floor(now() / HOUR) + 1 + hours) * HOUR);

/**
 * The three times of a schedule.
 * @param {Record<string, string>} values as `datetime-local` has them
 */
export function timeFields(values) {
  const names = ['reservation_available_at', 'deadline_at', 'concert_at'];
  const inputs = names.map((name) => el('input', { type: 'datetime-local', required: true, name, value: values[name] }));
  const parts = el('div', { class: 'fields' }, names.map((name, at) => field(t(`admin.time.${name}`), inputs[at], { hint: t(`admin.time.${name}.does`) })));
  return { part: parts, value: () => Object.fromEntries(names.map((name, at) => [name, new Date(inputs[at].value).toISOString()])) };
}

/** @type {import('../admin.js').Part} */
export async function newSchedulePart(place, [id]) {
  const concert = await get(`/v1/concerts/${id}`);
  const times = timeFields({ reservation_available_at: proposed(24), deadline_at: proposed(24 * 8), concert_at: proposed(24 * 8 + 2) });
  const line = lineFields({});
  const act = async () => {
    const made = await post(`/v1/admin/concerts/${id}/schedules`, { ...times.value(), queue: line.change({}) });
    location.hash = `#/schedules/${made.id}/venue`;
  };
  fill(
    place,
    heading(t('admin.schedule.new'), { back: [`/concerts/${id}`, concert.title], lead: t('admin.schedule.new.lead') }),
    form(
      t('admin.schedule.make'),
      act,
      card(t('admin.schedule.times'), el('p', { class: 'hint' }, t('admin.zone', { zone: zone() })), times.part),
      card(t('admin.schedule.line'), line.parts),
    ),
  );
}
