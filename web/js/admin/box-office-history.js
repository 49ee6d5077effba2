// @ts-check
/** The history of a buyer or a seat, which grows page by page. */
import { el, setChildren } from '../lib/dom.js';
import { points, t, time } from '../lib/text.js';
import { personLink, seatLink } from './box-office-names.js';
import { card, runOnce } from './parts.js';
import { get } from './api.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** What an event is about. @param {Api.HistoryEvent} event @param {boolean} ofSeat */
function about(event, ofSeat) {
  const parts = [
    ofSeat && event.user && personLink(event.user),
    event.seat && (!ofSeat || event.to_seat) && seatLink(event.seat),
    event.to_seat && el('span', null, '→ ', seatLink(event.to_seat)),
    event.amount !== null && points(event.amount),
    event.balance_after !== null && t('admin.box.balance.after', { points: points(event.balance_after) }),
    !ofSeat && event.schedule_id !== null && !event.seat && t('admin.schedule.id', { id: String(event.schedule_id) }),
    event.kind === 'AUDIT' && String(/** @type {Record<string, unknown>} */ (event.detail ?? {}).action ?? ''),
  ].filter((part) => part !== false && part !== null);
  return parts.flatMap((part, at) => (at === 0 ? [part] : [' · ', part]));
}

/** @param {Api.HistoryEvent} event @param {boolean} ofSeat */
function item(event, ofSeat) {
  return el(
    'li',
    { class: 'entry', dataset: { kind: event.kind } },
    el('p', { class: 'entry-head' }, el('b', null, t(`admin.box.event.${event.kind}`))),
    el('p', null, about(event, ofSeat)),
    event.reason !== null && el('p', { dir: 'auto' }, t('admin.box.because', { reason: event.reason })),
    el(
      'p',
      { class: 'entry-who' },
      el('time', { datetime: event.at }, time(event.at, 'date'), ' ', time(event.at, 'exact')),
      event.admin && [' · ', t('admin.box.by.staff', { name: event.admin.name })],
    ),
  );
}

/**
 * A card with the history at `path`. `again` loads it from the start.
 * @param {string} path @param {{ ofSeat?: boolean }} [how]
 */
export function history(path, { ofSeat = false } = {}) {
  const list = el('ol', { class: 'entries box-history' });
  const none = el('p', { class: 'empty', hidden: true }, t('admin.box.history.none'));
  const more = el('button', { type: 'button', class: 'button quiet', hidden: true }, t('admin.box.later'));
  let cursor = '';
  const load = async (/** @type {boolean} */ fromStart) => {
    /** @type {Api.List<Api.HistoryEvent>} */
    const page = await get(`${path}/history${fromStart ? '' : `?cursor=${encodeURIComponent(cursor)}`}`);
    cursor = page.next_cursor ?? '';
    const items = page.items.map((event) => item(event, ofSeat));
    if (fromStart) setChildren(list, items);
    else list.append(...items);
    none.hidden = list.children.length > 0;
    more.hidden = cursor === '';
  };
  more.addEventListener('click', () => runOnce(more, () => load(false)));
  return { element: card(t('admin.box.history'), list, none, more), again: () => load(true) };
}
