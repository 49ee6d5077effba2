// @ts-check
/** Creating a schedule: its times and queue settings. Its seats come next. */
import { el, setChildren } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { card, field, form, heading, localInput, timeZone } from './parts.js';
import { queueFields } from './queue-fields.js';
import { get, post } from './api.js';
import { serverNow } from '../lib/clock.js';

/** @import * as Api from '../onsale/types.d.ts' */

const HOUR = 3_600_000;

/** The next full hour, plus `hours`. @param {number} hours */
const proposed = (hours) => localInput((Math.floor(serverNow() / HOUR) + 1 + hours) * HOUR);

/** The three times of a schedule. @typedef {Api.ScheduleTimes} Times */

/** Their names, in order. */
export const TIMES = /** @type {const} */ (['reservation_available_at', 'deadline_at', 'concert_at']);

/**
 * The fields for the three times of a schedule.
 * @param {Times} values in the format of `datetime-local`
 */
export function timeFields(values) {
  const inputs = TIMES.map((name) => el('input', { type: 'datetime-local', required: true, name, value: values[name] }));
  const parts = el(
    'div',
    { class: 'fields' },
    TIMES.map((name, at) => field(t(`admin.time.${name}`), inputs[at], { hint: t(`admin.time.${name}.does`) })),
  );
  const value = () => {
    const [reservation_available_at, deadline_at, concert_at] = inputs.map((input) => new Date(input.value).toISOString());
    return { reservation_available_at, deadline_at, concert_at };
  };
  return { part: parts, value };
}

/** @type {import('../admin.js').Part} */
export async function newSchedulePart(place, [id]) {
  /** @type {import('./api.js').Concert} */
  const concert = await get(`/v1/admin/concerts/${id}`);
  const times = timeFields({ reservation_available_at: proposed(24), deadline_at: proposed(24 * 8), concert_at: proposed(24 * 8 + 2) });
  const line = queueFields({});
  const act = async () => {
    /** @type {Api.NewSchedule} */
    const wanted = { ...times.value(), queue: line.change({}), draft: true };
    /** @type {Api.ScheduleSettings} */
    const made = await post(`/v1/admin/concerts/${id}/schedules`, wanted);
    location.hash = `#/schedules/${made.id}/venue`;
  };
  setChildren(
    place,
    heading(t('admin.schedule.new'), { back: [`/concerts/${id}`, concert.title], lead: t('admin.schedule.new.lead') }),
    form(
      t('admin.schedule.make'),
      act,
      card(t('admin.schedule.times'), el('p', { class: 'hint' }, t('admin.zone', { zone: timeZone() })), times.part),
      card(t('admin.schedule.line'), line.parts),
    ),
  );
}
