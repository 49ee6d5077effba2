// @ts-check
/** All settings of a schedule, each with what it does; and its times, which can be put off. */
import { toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, fill } from '../lib/dom.js';
import { now } from '../lib/clock.js';
import { t, time } from '../lib/text.js';
import { card, form, localInput, zone } from './parts.js';
import { lineFields, told } from './line-fields.js';
import { timeFields } from './schedule-new.js';
import { get, patch } from './service.js';

/** What changes, from what to what. @param {Record<string, any>} before @param {Record<string, any>} change @param {(name: string, value: any) => string} tell */
export function changes(before, change, tell) {
  const named = (/** @type {string} */ name) => (name.endsWith('_at') && name !== 'queue_opens_at' ? t(`admin.time.${name}`) : t(`admin.setting.${name}`));
  return el(
    'dl',
    { class: 'changes' },
    Object.entries(change).flatMap(([name, value]) => [
      el('dt', null, named(name)),
      el('dd', null, el('s', { dir: 'auto' }, tell(name, before[name])), ' → ', el('b', { dir: 'auto' }, tell(name, value))),
    ]),
  );
}

/** @param {string} name @param {any} value */
const tell = (name, value) => (name.endsWith('_at') ? time(value) : told(name, value));

/** The times, and putting them off. @param {import('./service.js').Schedule} schedule @param {() => void} again */
function times(schedule, again) {
  const names = ['reservation_available_at', 'deadline_at', 'concert_at'];
  const all = /** @type {Record<string, any>} */ (schedule);
  const old = Object.fromEntries(names.map((name) => [name, localInput(all[name])]));
  const { part, value } = timeFields(old);
  const act = async () => {
    const wanted = value();
    const change = Object.fromEntries(Object.entries(wanted).filter(([name, at]) => localInput(at) !== old[name]));
    if (Object.keys(change).length === 0) return toast(t('admin.nochange'));
    const open = Date.parse(schedule.reservation_available_at) <= now();
    const sure = await confirm({
      title: t('admin.postpone'),
      body: [changes(all, change, tell), el('p', null, t(open ? 'admin.postpone.open' : 'admin.postpone.body'))],
      yes: t('admin.postpone.yes'),
      danger: open,
    });
    if (!sure) return;
    await patch(`/v1/admin/schedules/${schedule.id}`, change);
    toast(t('admin.saved.force'));
    again();
  };
  return card(t('admin.schedule.times'), el('p', { class: 'hint' }, t('admin.postpone.hint'), ' ', t('admin.zone', { zone: zone() })), form(t('admin.postpone.go'), act, part));
}

/** @type {import('./schedule.js').Tab} */
export async function settingsPart(place, { schedule }) {
  const path = `/v1/admin/schedules/${schedule.id}/queue`;
  const again = async () => {
    settingsPart(place, { schedule: await get(`/v1/schedules/${schedule.id}`), concert: /** @type {any} */ (null) });
  };
  const settings = await get(path);
  const fixed = Date.parse(settings.queue_opens_at) <= now();
  const line = lineFields(settings, { fixed });
  const act = async () => {
    const change = line.change(settings);
    if (Object.keys(change).length === 0) return toast(t('admin.nochange'));
    const sure = await confirm({ title: t('admin.settings.sure'), body: [changes(settings, change, tell), el('p', null, t('admin.settings.sure.body'))], yes: t('admin.save') });
    if (!sure) return;
    await patch(path, change);
    toast(t('admin.saved.force'));
    await again();
  };
  fill(place, card(t('admin.schedule.line'), el('p', { class: 'hint' }, t('admin.settings.hint')), form(t('admin.save'), act, line.parts)), times(schedule, again));
}
