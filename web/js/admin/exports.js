// @ts-check
/** The exports of a date's records. */
import { el } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { download } from './api.js';
import { card, runOnce } from './parts.js';

const NAMES = ['buyers', 'reservations', 'payments', 'points', 'admissions'];
const FORMATS = ['csv', 'jsonl'];

/** A card with a button for each file. @param {number} schedule */
export function exportsCard(schedule) {
  const file = (/** @type {string} */ name, /** @type {string} */ format) => {
    const label = t('admin.exports.as', { what: t(`admin.exports.${name}`), format: t(`admin.exports.${format}`) });
    const button = el('button', { type: 'button', class: 'button quiet small', 'aria-label': label }, t(`admin.exports.${format}`));
    const path = `/v1/admin/schedules/${schedule}/exports/${name}.${format}`;
    button.addEventListener('click', () => runOnce(button, () => download(path, `onsale-schedule-${schedule}-${name}.${format}`)));
    return button;
  };
  return card(
    t('admin.exports'),
    el('p', { class: 'hint' }, t('admin.exports.lead')),
    el(
      'ul',
      { class: 'exports' },
      NAMES.map((name) => el('li', null, el('span', null, t(`admin.exports.${name}`)), ...FORMATS.map((format) => file(name, format)))),
    ),
  );
}
