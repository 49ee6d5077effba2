// @ts-check
/** The box office: finds a buyer or a seat by whatever the buyer knows. */
import { el, setChildren } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { tabStore } from '../lib/store.js';
import { personLink, seatLink } from './box-office-names.js';
import { field, form, heading } from './parts.js';
import { get } from './api.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** Where the last search of this tab is kept, for the way back from a result. */
const LAST = 'onsale.admin.search';

/** @param {Api.SearchHit} hit */
function item(hit) {
  const what = [
    hit.reservation_id !== null && t('admin.box.reservation', { id: String(hit.reservation_id) }),
    hit.payment_id !== null && t('admin.box.payment', { id: String(hit.payment_id) }),
    hit.schedule_id !== null && t('admin.schedule.id', { id: String(hit.schedule_id) }),
  ].filter((part) => part !== false);
  return el(
    'li',
    { class: 'entry' },
    el('p', { class: 'entry-head' }, hit.user ? personLink(hit.user) : el('b', null, t('admin.box.nobody'))),
    el('p', null, hit.seat && seatLink(hit.seat), hit.seat && what.length > 0 && ' · ', what.join(' · ')),
    el('p', { class: 'entry-who' }, t(`admin.box.by.${hit.matched_by}`)),
  );
}

/** @type {import('../admin.js').Part} */
export async function boxOfficePart(place) {
  const last = /** @type {{ q: string, schedule: string } | null} */ (tabStore.get(LAST));
  const q = el('input', { type: 'search', required: true, maxlength: 200, dir: 'auto', autocomplete: 'off', value: last?.q ?? '' });
  const schedule = el('input', { type: 'number', min: 1, step: 1, inputmode: 'numeric', value: last?.schedule ?? '' });
  const found = el('div', { 'aria-live': 'polite' });
  const search = async () => {
    const wanted = new URLSearchParams({ q: q.value.trim() });
    if (schedule.value) wanted.set('schedule_id', schedule.value);
    /** @type {Api.SearchAnswer} */
    const { items, more } = await get(`/v1/admin/box-office/search?${wanted}`);
    tabStore.set(LAST, { q: q.value.trim(), schedule: schedule.value });
    const hits = /** @type {Api.SearchHit[]} */ (items);
    setChildren(
      found,
      hits.length === 0 && el('p', { class: 'empty' }, t('admin.box.none')),
      el('ol', { class: 'entries' }, hits.map(item)),
      more && el('p', { class: 'hint' }, t('admin.box.more')),
    );
  };
  setChildren(
    place,
    heading(t('admin.nav.box'), { lead: t('admin.box.lead') }),
    el(
      'section',
      { class: 'card box-search' },
      form(
        t('admin.box.find'),
        search,
        el(
          'div',
          { class: 'fields' },
          field(t('admin.box.q'), q, { hint: t('admin.box.q.hint') }),
          field(t('admin.box.schedule'), schedule, { hint: t('admin.box.schedule.hint') }),
        ),
      ),
      found,
    ),
  );
  if (last) await search();
}
