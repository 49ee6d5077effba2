// @ts-check
/** Who changed what, when, from what to what. */
import { el, fill } from '../lib/dom.js';
import { has, number, t, time } from '../lib/text.js';
import { told } from './line-fields.js';
import { doing, field, heading } from './parts.js';
import { get } from './service.js';

/** @typedef {{ action?: string, subject?: string, admin?: string }} Wanted */

const ACTIONS = [
  ['concert', 'create', 'change'],
  ['schedule', 'create', 'change'],
  ['queue', 'change'],
  ['seats', 'add', 'block', 'unblock'],
].flatMap(([subject, ...verbs]) => verbs.map((verb) => `${subject}.${verb}`));
/** What entries have that nobody changed. */
const UNTOLD = ['id', 'concert_id'];
/** So many differences are told of a change, and of what was made. */
const MOST = 12;
const MADE = 4;

/** The members of an object and of those in it, flat. @param {any} value @returns {Record<string, any>} */
function flat(value) {
  if (value === null || typeof value !== 'object') return {};
  return Object.fromEntries(Object.entries(value).flatMap(([name, one]) => (name === 'queue' ? Object.entries(flat(one)) : [[name, one]])));
}

/** @param {string} name @param {any} value */
function valueText(name, value) {
  if (value === undefined) return '–';
  if (name === 'seat_ids') return t('admin.audit.seats', { n: value.length });
  if (name === 'status') return t(`admin.concert.${value}`);
  if (name.endsWith('_at')) return time(value);
  if (has(`admin.setting.${name}`)) return told(name, value);
  if (typeof value === 'number') return number(value);
  if (typeof value === 'boolean') return t(value ? 'admin.yes' : 'admin.no');
  return value === null ? '–' : String(value);
}

/** @param {string} name */
const nameText = (name) => {
  const key = [`admin.setting.${name}`, `admin.time.${name}`, `admin.audit.field.${name}`].find(has);
  return key ? t(key) : name;
};

/** What an entry changed. @param {any} entry */
function differences(entry) {
  const [before, after] = [flat(entry.before), flat(entry.after)];
  const empty = (/** @type {any} */ value) => entry.before === null && (value === null || value === '');
  const names = Object.keys(after).filter((name) => !UNTOLD.includes(name) && !empty(after[name]) && JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const most = entry.before === null ? MADE : MOST;
  const lines = names.slice(0, most).map((name) =>
    el(
      'li',
      null,
      el('span', { class: 'muted' }, nameText(name), ': '),
      entry.before && name in before && [el('s', { dir: 'auto' }, valueText(name, before[name])), ' → '],
      el('b', { dir: 'auto', class: 'clip' }, valueText(name, after[name])),
    ),
  );
  return el('ul', { class: 'differences' }, lines, names.length > most && el('li', { class: 'muted' }, t('admin.audit.more', { n: names.length - most })));
}

/** Where an entry's subject is looked at. @param {string} subject */
function subjectLink(subject) {
  const [kind, id] = subject.split(' ');
  const to = kind === 'schedule' ? `#/schedules/${id}` : kind === 'concert' ? `#/concerts/${id}` : null;
  const text = has(`admin.audit.${kind}`) ? t(`admin.audit.${kind}`, { id }) : subject;
  return to ? el('a', { href: to }, text) : text;
}

/** @param {any} entry */
function item(entry) {
  return el(
    'li',
    { class: 'entry' },
    el(
      'p',
      { class: 'entry-head' },
      el('b', null, has(`admin.audit.${entry.action}`) ? t(`admin.audit.${entry.action}`) : entry.action),
      ' · ',
      subjectLink(entry.subject),
    ),
    el('p', { class: 'entry-who' }, el('time', { datetime: entry.created_at }, time(entry.created_at, 'date'), ' ', time(entry.created_at, 'exact')), ' · ', el('span', { dir: 'auto' }, entry.admin_name), ' ', el('span', { class: 'id' }, `#${entry.admin}`)),
    differences(entry),
  );
}

/** @param {Wanted} wanted @param {string} [cursor] */
function query(wanted, cursor) {
  const given = Object.entries({ ...wanted, cursor }).filter(([, value]) => value);
  return `/v1/admin/audit?${new URLSearchParams(/** @type {[string, string][]} */ (given))}`;
}

/** A list that grows by pages. @param {() => Wanted} wanted */
function entries(wanted) {
  const list = el('ol', { class: 'entries' });
  const none = el('p', { class: 'empty', hidden: true }, t('admin.audit.none'));
  const more = el('button', { type: 'button', class: 'button quiet', hidden: true }, t('admin.audit.older'));
  let cursor = '';
  const load = async (/** @type {boolean} */ anew) => {
    const page = await get(query(wanted(), anew ? undefined : cursor));
    cursor = page.next_cursor ?? '';
    if (anew) fill(list, page.items.map(item));
    else list.append(...page.items.map(item));
    none.hidden = list.children.length > 0;
    more.hidden = cursor === '';
  };
  more.addEventListener('click', () => doing(more, () => load(false)));
  return { element: el('div', null, list, none, more), load };
}

/** The entries of one subject. @param {HTMLElement} place @param {Wanted} wanted */
export async function auditOf(place, wanted) {
  const found = entries(() => wanted);
  await found.load(true);
  fill(place, el('section', { class: 'card' }, el('h2', null, t('admin.nav.audit')), found.element));
}

/** @type {import('../admin.js').Part} */
export async function auditPart(place) {
  const action = el('select', null, el('option', { value: '' }, t('admin.audit.all')), ACTIONS.map((value) => el('option', { value }, t(`admin.audit.${value}`))));
  const kind = el('select', null, ['', 'schedule', 'concert'].map((value) => el('option', { value }, t(`admin.audit.kind.${value || 'any'}`))));
  const id = el('input', { type: 'number', min: 1, step: 1, inputmode: 'numeric' });
  const admin = el('input', { type: 'number', min: 1, step: 1, inputmode: 'numeric' });
  const found = entries(() => ({ action: action.value, subject: kind.value && id.value ? `${kind.value} ${id.value}` : '', admin: admin.value }));
  const button = el('button', { type: 'submit', class: 'button' }, t('admin.audit.filter'));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    doing(button, () => found.load(true));
  };
  await found.load(true);
  fill(
    place,
    heading(t('admin.nav.audit'), { lead: t('admin.audit.lead') }),
    el(
      'form',
      { class: 'card filters', on: { submit } },
      field(t('admin.audit.what'), action),
      field(t('admin.audit.of'), kind),
      field(t('admin.audit.id'), id),
      field(t('admin.audit.who'), admin),
      button,
    ),
    el('section', { class: 'card' }, found.element),
  );
}
