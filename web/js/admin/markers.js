// @ts-check
/** What changed in a sale: lines in its charts, and a list below them. */
import { el, setChildren } from '../lib/dom.js';
import { hasText, number, t, time } from '../lib/text.js';
import { nameText, valueText } from './audit.js';

/** @typedef {import('./series.js').Marker} Marker */

/** Number of markers in the list, the latest. */
const SHOWN = 30;

/** The colour of a kind's line, by number. @type {Record<string, number>} */
const COLOURS = { RECOVERING: 5, REBUILT: 5, REPAIRED: 5, PAUSED: 4, RESUMED: 2, OPENED: 2, REOPENED: 2, DRAWN: 2, SOLD_OUT: 3, CLOSED: 3 };

/** The colour of a marker's line, by its number. @param {string} kind */
export const markerColour = (kind) => COLOURS[kind] ?? 6;

/** What a marker says. @param {Marker} marker */
export function markerText({ kind, action, before, after, epoch }) {
  const members = /** @type {Record<string, unknown>} */ (after ?? {});
  const old = /** @type {Record<string, unknown>} */ (before ?? {});
  if (kind === 'REBUILT') return t('admin.marker.REBUILT', { epoch: String(epoch) });
  if (kind === 'REPAIRED')
    return t('admin.marker.REPAIRED', { what: t(`admin.repair.${members.what}`), times: number(Number(members.times)) });
  if (kind === 'MESSAGE')
    return members.message ? t('admin.marker.MESSAGE', { message: String(members.message) }) : t('admin.marker.nomessage');
  if (kind !== 'CHANGED') return t(`admin.marker.${kind}`);
  const title = action && hasText(`admin.audit.${action}`) ? t(`admin.audit.${action}`) : String(action);
  const changes = Object.keys(members)
    .filter((name) => !Array.isArray(members[name]))
    .map((name) =>
      name in old
        ? `${nameText(name)}: ${valueText(name, old[name])} → ${valueText(name, members[name])}`
        : `${nameText(name)}: ${valueText(name, members[name])}`,
    );
  return changes.length > 0 ? changes.join('; ') : title;
}

/** The list of the latest markers. */
export function markersList() {
  const list = el('ol', { class: 'markers' });
  const none = el('p', { class: 'muted' }, t('admin.markers.none'));
  const element = el('details', { class: 'markers-box', open: true }, el('summary', null, t('admin.markers')), none, list);
  let shown = '';
  return {
    element,
    /** @param {Marker[]} markers */
    show: (markers) => {
      const latest = markers.slice(-SHOWN).reverse();
      const key = JSON.stringify(latest);
      if (key === shown) return;
      shown = key;
      none.hidden = latest.length > 0;
      setChildren(list, latest.map(item));
    },
  };
}

/** @param {Marker} marker */
function item(marker) {
  const today = time(marker.at, 'date') === time(Date.now(), 'date');
  return el(
    'li',
    { 'data-kind': marker.kind },
    el('span', { class: `line-swatch line-dash line-${markerColour(marker.kind)}` }),
    el('time', { datetime: marker.at }, today ? '' : `${time(marker.at, 'date')} `, time(marker.at, 'exact')),
    ' ',
    el('span', { dir: 'auto' }, markerText(marker)),
    marker.by && [' · ', el('span', { class: 'muted', dir: 'auto' }, marker.by)],
  );
}
