// @ts-check
/** The audit log: who changed what, when, from what to what. */
import { el, setChildren } from '../lib/dom.js';
import { hasText, money, number, t, time } from '../lib/text.js';
import { settingText } from './queue-fields.js';
import { runOnce, field, heading } from './parts.js';
import { get } from './api.js';
import { may } from './role.js';

/** @import * as Api from '../onsale/types.d.ts' */
/** @typedef {{ action?: string, subject?: string, admin?: string }} Wanted */
/** @typedef {Api.AuditEntry} AuditEntry */

const ACTIONS = [
  ['concert', 'create', 'change', 'publish', 'remove'],
  ['schedule', 'create', 'change', 'publish', 'remove', 'refund'],
  ['queue', 'change'],
  ['seats', 'add', 'replace', 'remove', 'price', 'block', 'unblock'],
  ['box_office', 'refund', 'move', 'give', 'revoke', 'reissue_place', 'reissue_code'],
  ['restore', 'finish'],
  ['user', 'erase'],
  ['job', 'cancel', 'finish'],
].flatMap(([subject, ...verbs]) => verbs.map((verb) => `${subject}.${verb}`));
/** Fields of entries that are not changes. */
const HIDDEN_FIELDS = ['id', 'concert_id'];
/** Maximum number of fields shown for a changed and for a created subject. */
const MAX_CHANGES = 12;
const MAX_CREATED = 4;

/** Flattens the queue settings into their schedule, and the figures into their job. @param {unknown} value @returns {Record<string, unknown>} */
function flatten(value) {
  if (value === null || typeof value !== 'object') return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => (name === 'queue' || name === 'figures' ? Object.entries(flatten(one)) : [[name, one]])),
  );
}

/** @param {string} name @param {unknown} value */
export function valueText(name, value) {
  if (value === undefined) return '–';
  if (name === 'seat_ids' && Array.isArray(value)) return t('admin.audit.seats', { n: value.length });
  if (name === 'prices' && Array.isArray(value)) return t('admin.audit.prices', { n: value.length });
  if (name === 'takings') return money(Number(value));
  if (name === 'seats' && typeof value === 'string') return t(`admin.refund.${value}`);
  if (name === 'state') return t(`admin.job.state.${value}`);
  if (name === 'status') return t(`admin.concert.${value}`);
  if (name.endsWith('_at')) return time(String(value));
  if (hasText(`admin.setting.${name}`)) return settingText(name, /** @type {import('./settings.js').Value} */ (value));
  if (typeof value === 'number') return number(value);
  if (typeof value === 'boolean') return t(value ? 'admin.yes' : 'admin.no');
  return value === null ? '–' : String(value);
}

/** @param {string} name */
export const nameText = (name) => {
  const key = [`admin.setting.${name}`, `admin.time.${name}`, `admin.audit.field.${name}`].find(hasText);
  return key ? t(key) : name;
};

/** The fields that an entry changed. @param {AuditEntry} entry */
function differences(entry) {
  const [before, after] = [flatten(entry.before), flatten(entry.after)];
  const empty = (/** @type {unknown} */ value) => entry.before === null && (value === null || value === '');
  const names = Object.keys(after).filter(
    (name) => !HIDDEN_FIELDS.includes(name) && !empty(after[name]) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  const most = entry.before === null ? MAX_CREATED : MAX_CHANGES;
  const lines = names
    .slice(0, most)
    .map((name) =>
      el(
        'li',
        null,
        el('span', { class: 'muted' }, nameText(name), ': '),
        entry.before && name in before && [el('s', { dir: 'auto' }, valueText(name, before[name])), ' → '],
        el('b', { dir: 'auto', class: 'clip' }, valueText(name, after[name])),
      ),
    );
  return el(
    'ul',
    { class: 'differences' },
    lines,
    names.length > most && el('li', { class: 'muted' }, t('admin.audit.more', { n: names.length - most })),
  );
}

/** A link to an entry's subject. @param {string} subject */
function subjectLink(subject) {
  const [kind, id] = subject.split(' ');
  /** @type {Record<string, string>} */
  const parts = { schedule: `schedules/${id}`, concert: `concerts/${id}`, job: 'jobs', user: `box-office/buyers/${id}` };
  const part = parts[kind ?? ''];
  const to = part && (kind !== 'user' || may('box_office')) ? `#/${part}` : null;
  const text = hasText(`admin.audit.${kind}`) ? t(`admin.audit.${kind}`, { id }) : subject;
  return to ? el('a', { href: to }, text) : text;
}

/** @param {AuditEntry} entry */
function item(entry) {
  return el(
    'li',
    { class: 'entry' },
    el(
      'p',
      { class: 'entry-head' },
      el('b', null, hasText(`admin.audit.${entry.action}`) ? t(`admin.audit.${entry.action}`) : entry.action),
      ' · ',
      subjectLink(entry.subject),
    ),
    el(
      'p',
      { class: 'entry-who' },
      el('time', { datetime: entry.created_at }, time(entry.created_at, 'date'), ' ', time(entry.created_at, 'exact')),
      ' · ',
      el('span', { dir: 'auto' }, entry.admin_name),
      ' ',
      el('span', { class: 'id' }, `#${entry.admin}`),
    ),
    differences(entry),
  );
}

/** @param {Wanted} wanted @param {string} [cursor] */
function query(wanted, cursor) {
  const given = Object.entries({ ...wanted, cursor }).filter(([, value]) => value);
  return `/v1/admin/audit?${new URLSearchParams(/** @type {[string, string][]} */ (given))}`;
}

/** The list of entries, which grows page by page. @param {() => Wanted} wanted */
function entries(wanted) {
  const list = el('ol', { class: 'entries' });
  const none = el('p', { class: 'empty', hidden: true }, t('admin.audit.none'));
  const more = el('button', { type: 'button', class: 'button quiet', hidden: true }, t('admin.audit.older'));
  let cursor = '';
  const load = async (/** @type {boolean} */ fromStart) => {
    /** @type {Api.List<AuditEntry>} */
    const page = await get(query(wanted(), fromStart ? undefined : cursor));
    cursor = page.next_cursor ?? '';
    if (fromStart) setChildren(list, page.items.map(item));
    else list.append(...page.items.map(item));
    none.hidden = list.children.length > 0;
    more.hidden = cursor === '';
  };
  more.addEventListener('click', () => runOnce(more, () => load(false)));
  return { element: el('div', null, list, none, more), load };
}

/** Shows the entries of one subject. @param {HTMLElement} place @param {Wanted} wanted */
export async function showAuditOf(place, wanted) {
  const found = entries(() => wanted);
  await found.load(true);
  setChildren(place, el('section', { class: 'card' }, el('h2', null, t('admin.nav.audit')), found.element));
}

/** @type {import('../admin.js').Part} */
export async function auditPart(place) {
  const action = el(
    'select',
    null,
    el('option', { value: '' }, t('admin.audit.all')),
    ACTIONS.map((value) => el('option', { value }, t(`admin.audit.${value}`))),
  );
  const kind = el(
    'select',
    null,
    ['', 'schedule', 'concert', 'user'].map((value) => el('option', { value }, t(`admin.audit.kind.${value || 'any'}`))),
  );
  const id = el('input', { type: 'number', min: 1, step: 1, inputmode: 'numeric' });
  const admin = el('input', { type: 'number', min: 1, step: 1, inputmode: 'numeric' });
  const found = entries(() => ({
    action: action.value,
    subject: kind.value && id.value ? `${kind.value} ${id.value}` : '',
    admin: admin.value,
  }));
  const button = el('button', { type: 'submit', class: 'button' }, t('admin.audit.filter'));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    runOnce(button, () => found.load(true));
  };
  await found.load(true);
  setChildren(
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
