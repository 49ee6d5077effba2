// @ts-check
/** The readiness checklist of a sale: what is fine, what is not, and what to do. */
import { el, setChildren } from '../lib/dom.js';
import { hasText, t, time } from '../lib/text.js';
import { card, field, form, timeZone } from './parts.js';
import { get } from './api.js';

/** @typedef {import('../onsale/types.d.ts').Finding} Finding */
/** @typedef {import('../onsale/types.d.ts').Readiness} Readiness */

/** The groups of findings by the first part of their names, in the order shown. */
const GROUPS = ['schedule', 'alerts', 'redis', 'postgresql', 'processes', 'process'];
/** Findings that are shown in the group of another name. @type {Record<string, string>} */
const GROUP_OF = { schedules: 'schedule', keys: 'process', proxy: 'process' };

/** What the level of a finding looks like. */
const LEVELS = {
  ok: { badge: 'badge-open', sign: '✓' },
  warning: { badge: 'badge-warn', sign: '!' },
  failure: { badge: 'badge-bad', sign: '✗' },
};

/** The expected people of each sale, as entered last. @type {Map<number, string>} */
const expected = new Map();

/** @param {Finding} finding */
const groupOf = ({ name }) => {
  const [first] = name.split('.');
  return GROUP_OF[first] ?? first;
};

/** The figures of a finding, with its times in the reader's zone. @param {Finding} finding */
function valuesOf({ values }) {
  const shown = Object.entries(values).map(([name, value]) => [name, name.endsWith('_at') && value ? time(String(value)) : (value ?? '–')]);
  return /** @type {Record<string, string | number>} */ (Object.fromEntries(shown));
}

/** A line of the checklist. @param {Finding} finding */
function line(finding) {
  const { level, name, code, text, advice } = finding;
  const values = valuesOf(finding);
  const [seen, todo] = [`admin.ready.code.${code}`, `admin.ready.do.${code}`];
  return el(
    'li',
    { class: `ready-line ready-${level}`, 'data-code': code },
    el('span', { class: 'ready-sign', 'aria-hidden': 'true' }, LEVELS[level].sign),
    el(
      'div',
      null,
      el('strong', null, hasText(`admin.ready.name.${name}`) ? t(`admin.ready.name.${name}`) : name),
      ' ',
      el('span', { class: `badge ${LEVELS[level].badge}` }, t(`admin.ready.level.${level}`)),
      el('p', { dir: 'auto' }, hasText(seen) ? t(seen, values) : text),
      advice && el('p', { class: 'ready-do', dir: 'auto' }, hasText(todo) ? t(todo, values) : advice),
    ),
  );
}

/** The verdict, and the findings in groups. @param {Readiness} readiness */
function checklist({ findings, failures, warnings, server_time }) {
  const kind = failures > 0 ? 'bad' : warnings > 0 ? 'paused' : 'flowing';
  const verdict = failures > 0 ? 'admin.ready.fails' : warnings > 0 ? 'admin.ready.warns' : 'admin.ready.passes';
  const fine = findings.length - failures - warnings;
  const groups = GROUPS.map((group) => ({ group, lines: findings.filter((one) => groupOf(one) === group) }));
  return [
    el(
      'p',
      { class: 'status', 'data-kind': kind, role: 'status' },
      el('span', { class: 'status-dot', 'aria-hidden': 'true' }),
      el('strong', null, t(verdict)),
      el('span', { class: 'status-more' }, t('admin.ready.counts', { failures, warnings, fine })),
      el('span', { class: 'status-fresh' }, t('admin.asof', { at: time(server_time, 'exact') })),
    ),
    ...groups
      .filter(({ lines }) => lines.length > 0)
      .map(({ group, lines }) => card(t(`admin.ready.group.${group}`), el('ul', { class: 'ready-list' }, lines.map(line)))),
  ];
}

/** @type {import('./schedule.js').Tab} */
export async function readinessPart(place, { schedule }) {
  const input = el('input', { type: 'number', min: 1, max: 1_000_000_000, step: 1, inputmode: 'numeric', name: 'expect' });
  input.value = expected.get(schedule.id) ?? '';
  const list = el('div', { class: 'readiness' });
  const check = async () => {
    expected.set(schedule.id, input.value);
    const query = input.value ? `?expect=${encodeURIComponent(input.value)}` : '';
    /** @type {Readiness} */
    const found = await get(`/v1/admin/schedules/${schedule.id}/readiness${query}`);
    setChildren(list, ...checklist(found));
  };
  const hint = t('admin.ready.expect.hint');
  setChildren(
    place,
    card(
      t('admin.tab.readiness'),
      el('p', { class: 'hint' }, t('admin.ready.lead'), ' ', t('admin.zone', { zone: timeZone() })),
      form(t('admin.ready.check'), check, el('div', { class: 'fields' }, field(t('admin.ready.expect'), input, { hint }))),
    ),
    list,
  );
  await check();
}
