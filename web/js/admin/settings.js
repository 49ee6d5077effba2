// @ts-check
/** The settings and the times of a schedule. */
import { toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren } from '../lib/dom.js';
import { serverNow } from '../lib/clock.js';
import { t, time } from '../lib/text.js';
import { card, fieldLabel, form, localInput, timeZone } from './parts.js';
import { queueFields, settingText } from './queue-fields.js';
import { TIMES, timeFields } from './schedule-new.js';
import { getTagged } from './api.js';
import { THEIRS, sendEdit } from './edit.js';
import { removalCard } from './removal.js';
import { may } from './role.js';
import { takeProposal } from './proposal.js';

/** A changed value of a setting or a time. @typedef {string | number | boolean | null | undefined} Value */

/**
 * A list of changes with old and new values.
 * @param {Record<string, Value>} before @param {Record<string, Value>} change
 * @param {(name: string, value: Value) => string} format
 */
export function changesList(before, change, format) {
  const named = (/** @type {string} */ name) =>
    name.endsWith('_at') && name !== 'queue_opens_at' ? t(`admin.time.${name}`) : t(`admin.setting.${name}`);
  return el(
    'dl',
    { class: 'changes' },
    Object.entries(change).flatMap(([name, value]) => [
      el('dt', null, named(name)),
      el('dd', null, el('s', { dir: 'auto' }, format(name, before[name])), ' → ', el('b', { dir: 'auto' }, format(name, value))),
    ]),
  );
}

/** @param {string} name @param {Value} value */
const valueText = (name, value) => (name.endsWith('_at') ? time(String(value)) : settingText(name, value));

/**
 * A form whose fields can only be read without the role of an operator.
 * @param {string} yes @param {() => Promise<void>} act @param {import('../lib/dom.js').Child | import('../lib/dom.js').Child[]} parts
 */
const operatorForm = (yes, act, parts) =>
  may('operator') ? form(yes, act, parts) : el('fieldset', { class: 'adm-form read-only', disabled: true }, parts);

/**
 * The card with the times, which can be postponed.
 * @param {import('./api.js').Tagged<import('./api.js').Schedule>} tagged @param {() => void} again
 */
function timesCard({ answer: schedule, tag }, again) {
  const { reservation_available_at, deadline_at, concert_at } = schedule;
  const before = { reservation_available_at, deadline_at, concert_at };
  const { part, value } = timeFields({
    reservation_available_at: localInput(reservation_available_at),
    deadline_at: localInput(deadline_at),
    concert_at: localInput(concert_at),
  });
  const act = async () => {
    const wanted = value();
    /** @type {Partial<import('./schedule-new.js').Times>} */
    const change = {};
    for (const name of TIMES) if (localInput(wanted[name]) !== localInput(before[name])) change[name] = wanted[name];
    if (Object.keys(change).length === 0) return toast(t('admin.nochange'));
    const open = Date.parse(reservation_available_at) <= serverNow();
    const sure = await confirm({
      title: t('admin.postpone'),
      body: [changesList(before, change, valueText), el('p', null, t(open ? 'admin.postpone.open' : 'admin.postpone.body'))],
      yes: t('admin.postpone.yes'),
      danger: open,
    });
    if (!sure) return;
    const path = `/v1/admin/schedules/${schedule.id}`;
    const edit = { path, body: change, tag, before, mine: change, names: [...TIMES], label: fieldLabel, text: valueText };
    const done = await sendEdit(edit);
    if (done === null) return;
    toast(t(done === THEIRS ? 'admin.conflict.taken' : 'admin.saved.force'));
    again();
  };
  return card(
    t('admin.schedule.times'),
    el('p', { class: 'hint' }, t('admin.postpone.hint'), ' ', t('admin.zone', { zone: timeZone() })),
    operatorForm(t('admin.postpone.go'), act, part),
  );
}

/** @type {import('./schedule.js').Tab} */
export async function settingsPart(place, { schedule, concert }) {
  const path = `/v1/admin/schedules/${schedule.id}/queue`;
  const again = () => settingsPart(place, { schedule, concert });
  /** @type {[import('./api.js').Tagged<import('../onsale/types.d.ts').QueueSettings>, import('./api.js').Tagged<import('./api.js').Schedule>]} */
  const [{ answer: settings, tag }, times] = await Promise.all([getTagged(path), getTagged(`/v1/admin/schedules/${schedule.id}`)]);
  const fixed = Date.parse(settings.queue_opens_at) <= serverNow();
  const proposal = takeProposal(schedule.id);
  const line = queueFields({ ...settings, ...proposal }, { fixed });
  const act = async () => {
    const change = line.change(settings);
    if (Object.keys(change).length === 0) return toast(t('admin.nochange'));
    const sure = await confirm({
      title: t('admin.settings.sure'),
      body: [changesList(settings, change, valueText), el('p', null, t('admin.settings.sure.body'))],
      yes: t('admin.save'),
    });
    if (!sure) return;
    const names = Object.keys(settings);
    const done = await sendEdit({ path, body: change, tag, before: settings, mine: change, names, label: fieldLabel, text: valueText });
    if (done === null) return;
    toast(t(done === THEIRS ? 'admin.conflict.taken' : 'admin.saved.force'));
    await again();
  };
  setChildren(
    place,
    card(
      t('admin.schedule.line'),
      el('p', { class: 'hint' }, t('admin.settings.hint')),
      proposal &&
        el(
          'p',
          { class: 'strip strip-warn', id: 'proposed' },
          t('admin.forecast.proposed', { capacity: proposal.capacity, rate: proposal.admit_per_second }),
        ),
      operatorForm(t('admin.save'), act, line.parts),
    ),
    timesCard(times, again),
    may('admin') && removalCard('schedules', schedule.id, concert.title, times.tag, () => (location.hash = `#/concerts/${concert.id}`)),
  );
}
