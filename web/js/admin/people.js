// @ts-check
/** Personal data: what the service has about one person, as a file, and its erasure. */
import { toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren } from '../lib/dom.js';
import { withIdempotencyKey } from '../lib/store.js';
import { number, points, t, time } from '../lib/text.js';
import { call, download, get } from './api.js';
import { card, field, figure, form, heading, runOnce } from './parts.js';

/** @typedef {{ id: number, name: string, created_at: string, erased_at: string | null, balance: number }} Person */
/** @typedef {{ user: Person, reservations: unknown[], payments: unknown[], queue_entries: unknown[], point_history: unknown[] }} PersonalData */

/** The erasure of a person. @param {Person} person */
function erasure({ id }) {
  const giveUp = el('input', { type: 'checkbox' });
  const reason = el('textarea', { rows: 2, maxlength: 500, required: true });
  const act = async () => {
    const sure = await confirm({
      title: t('admin.people.sure', { id: String(id) }),
      body: t('admin.people.erase.lead'),
      yes: t('admin.people.erase.yes'),
      danger: true,
    });
    if (!sure) return;
    const body = { give_up_entitlements: giveUp.checked, reason: reason.value.trim() };
    const path = `/v1/admin/users/${id}/erase`;
    await withIdempotencyKey(`erase.${id}.${JSON.stringify(body)}`, (key) => call('POST', path, { body, key }));
    toast(t('admin.people.begun'));
    location.hash = '#/jobs';
  };
  return card(
    t('admin.people.erase'),
    el('p', { class: 'hint' }, t('admin.people.erase.lead')),
    form(
      t('admin.people.erase.go'),
      act,
      field(t('admin.reason'), reason, { hint: t('admin.people.reason.hint') }),
      el('label', { class: 'check' }, giveUp, ' ', t('admin.people.giveup')),
    ),
  );
}

/** What the service has about a person. @param {PersonalData} data */
function dataCard({ user, reservations, payments, queue_entries: entries, point_history: history }) {
  const file = el('button', { type: 'button', class: 'button' }, t('admin.people.download'));
  file.addEventListener('click', () => runOnce(file, () => download(`/v1/admin/users/${user.id}/data`, `onsale-user-${user.id}.json`)));
  return card(
    t('admin.people.of', { id: String(user.id) }),
    user.erased_at !== null && el('p', { class: 'strip strip-warn' }, t('admin.people.erased', { at: time(user.erased_at) })),
    el(
      'dl',
      { class: 'figures' },
      figure(
        t('admin.people.name'),
        el('span', { dir: 'auto' }, user.name),
        t('admin.people.since', { at: time(user.created_at, 'date') }),
      ),
      figure(t('admin.people.balance'), points(user.balance)),
      figure(t('admin.people.reservations'), number(reservations.length)),
      figure(t('admin.people.payments'), number(payments.length)),
      figure(t('admin.people.entries'), number(entries.length)),
      figure(t('admin.people.history'), number(history.length)),
    ),
    el('div', { class: 'actions' }, file),
  );
}

/** @type {import('../admin.js').Part} */
export async function peoplePart(place, [id]) {
  const input = el('input', { type: 'number', min: 1, step: 1, required: true, inputmode: 'numeric', value: id ?? '' });
  const button = el('button', { type: 'submit', class: 'button' }, t('admin.people.show'));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    location.hash = `#/people/${input.value}`;
  };
  const head = [
    heading(t('admin.nav.people'), { lead: t('admin.people.lead') }),
    el('form', { class: 'card filters', on: { submit } }, field(t('admin.people.id'), input), button),
  ];
  if (id === undefined) return setChildren(place, ...head);
  /** @type {PersonalData} */
  const data = await get(`/v1/admin/users/${id}/data`);
  setChildren(place, ...head, dataCard(data), data.user.erased_at === null && erasure(data.user));
}
