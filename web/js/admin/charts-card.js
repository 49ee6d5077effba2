// @ts-check
/** The card with the charts of a sale, their time range, and what changed in it. */
import { serverNow } from '../lib/clock.js';
import { el } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { charts } from './charts.js';
import { markersList } from './markers.js';
import { card } from './parts.js';

/** Time ranges in seconds. */
const RANGES = [600, 3600, 6 * 3600, 86_400];
/** The whole sale begins so long before its queue opens, in seconds. */
const BEFORE_QUEUE = 600;

/**
 * The charts of a schedule. They begin with the recorded values.
 * @param {import('./api.js').Schedule} schedule
 */
export function chartsCard({ queue_opens_at }) {
  const drawn = charts();
  const markers = markersList();
  const select = el(
    'select',
    { id: 'chart-range' },
    RANGES.map((seconds) => el('option', { value: String(seconds) }, t(`admin.range.${seconds}`))),
    el('option', { value: 'sale' }, t('admin.range.sale')),
  );
  const range = () =>
    select.value === 'sale'
      ? Math.max(RANGES[0], Math.ceil((serverNow() - Date.parse(queue_opens_at)) / 1000) + BEFORE_QUEUE)
      : Number(select.value);
  // A range that grows with time is chosen once.
  let chosen = RANGES[0];
  /** @type {() => void} */
  let listener = () => {};
  select.addEventListener('change', () => {
    chosen = range();
    listener();
  });
  const element = card(
    t('admin.charts'),
    el('p', { class: 'chart-range' }, el('label', { for: select.id }, t('admin.range')), ' ', select),
    drawn.element,
    markers.element,
  );
  return {
    element,
    range: () => chosen,
    /** @param {() => void} changed called when another range is chosen */
    onRange: (changed) => {
      listener = changed;
    },
    /** @param {import('./series.js').SaleSeries} series */
    show: (series) => {
      drawn.show(series);
      markers.show(series.markers);
    },
    end: () => drawn.end(),
  };
}
