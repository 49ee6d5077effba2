// @ts-check
/** The live figures of a rehearsal, and its sheet. */
import { el } from '../lib/dom.js';
import { decimal, duration, number, t, time } from '../lib/text.js';
import { figure, table } from './parts.js';

/** @import * as Api from '../onsale/types.d.ts' */

const ms = (/** @type {number} */ value) => t('admin.ms', { value: value < 10 ? decimal(value) : number(Math.round(value)) });
const mega = (/** @type {number} */ bytes) => t('admin.forecast.mib', { value: decimal(bytes / 1e6) });
const span = (/** @type {number} */ seconds) => (seconds < 60 ? t('admin.seconds', { value: decimal(seconds) }) : duration(seconds));

/** The badge of a state. @param {Api.Rehearsal['state']} state */
export const stateBadge = (state) => {
  const kind = state === 'PASSED' ? 'open' : state === 'RUNNING' ? 'upcoming' : state === 'STOPPED' ? 'warn' : 'bad';
  return el('span', { class: `badge badge-${kind}` }, t(`admin.rehearsal.state.${state}`));
};

/** The live figures. @param {Api.RehearsalProgress} progress */
export function liveFigures(progress) {
  const opens = progress.seconds < 0 ? t('admin.rehearsal.opens', { time: span(-progress.seconds) }) : span(progress.seconds);
  /** @type {[string, string][]} */
  const rows = [
    ['time', opens],
    ['came', number(progress.came)],
    ['waiting', number(progress.waiting)],
    ['buying', number(progress.buying)],
    ['done', number(progress.done)],
    ['sold', number(progress.seats_sold)],
    ['rate', t('admin.persecond', { value: decimal(progress.requests_per_second) })],
    ['p99', ms(progress.p99_ms)],
    ['errors', number(progress.errors)],
  ];
  return el(
    'dl',
    { class: 'figures', id: 'rehearsal-live' },
    rows.map(([name, value]) => figure(t(`admin.rehearsal.live.${name}`), value)),
  );
}

/** The value of a line, in its unit. @param {string} name @param {number} value */
function valueText(name, value) {
  if (name.startsWith('p99_') || name === 'generator') return ms(value);
  if (name === 'redis_memory') return mega(value);
  if (name === 'forecast') return value >= 1e6 ? t('admin.rehearsal.differs') : t('admin.seconds', { value: decimal(value) });
  return number(value);
}

/** The name of a line. @param {string} name */
const lineName = (name) =>
  name.startsWith('p99_')
    ? t('admin.rehearsal.line.p99', { step: t(`admin.rehearsal.step.${name.slice(4)}`) })
    : t(`admin.rehearsal.line.${name}`);

/** A measured time beside the simulation. @param {Api.RehearsalCompared} compared */
function comparedText({ measured, low, high }) {
  const never = t('admin.rehearsal.never');
  return [measured === null ? never : span(measured), low === null || high === null ? never : `${span(low)} – ${span(high)}`];
}

/** The sheet. @param {Api.RehearsalSheet} sheet */
export function sheetTables(sheet) {
  const head = (/** @type {string} */ name, right = false) => ({ text: t(`admin.rehearsal.head.${name}`), number: right });
  const verdict = (/** @type {boolean} */ passed) =>
    el('span', { class: `badge badge-${passed ? 'open' : 'bad'}` }, t(passed ? 'admin.rehearsal.passed' : 'admin.rehearsal.failed'));
  return [
    table(
      t('admin.rehearsal.sheet'),
      [head('line'), head('verdict'), head('seen', true), head('limit', true)],
      sheet.lines.map((line) => [
        lineName(line.name),
        verdict(line.passed),
        valueText(line.name, line.seen),
        line.name === 'forecast' ? t('admin.rehearsal.slack') : valueText(line.name, line.limit),
      ]),
    ),
    table(
      t('admin.rehearsal.steps'),
      [head('step'), head('requests', true), head('p50', true), head('p99', true)],
      sheet.steps.map((step) => [
        step.step === sheet.slowest_step
          ? t('admin.rehearsal.slowest', { step: t(`admin.rehearsal.step.${step.step}`) })
          : t(`admin.rehearsal.step.${step.step}`),
        number(step.requests),
        ms(step.p50_ms),
        ms(step.p99_ms),
      ]),
    ),
    table(
      t('admin.rehearsal.compared'),
      [head('compared'), head('measured', true), head('simulated', true)],
      [
        [t('admin.forecast.result.nearly_sold'), ...comparedText(sheet.nearly_sold)],
        [t('admin.forecast.result.sold_out'), ...comparedText(sheet.sold_out)],
      ],
    ),
    el(
      'dl',
      { class: 'figures' },
      figure(t('admin.rehearsal.buyers'), number(sheet.buyers)),
      figure(t('admin.rehearsal.live.sold'), number(sheet.seats_sold), t('admin.report.seats.of', { n: sheet.seats })),
      figure(t('admin.rehearsal.requests'), number(sheet.requests), t('admin.rehearsal.refused', { n: sheet.refused })),
      figure(t('admin.rehearsal.memory'), mega(sheet.redis_bytes)),
    ),
    table(
      t('admin.rehearsal.ends'),
      [head('end'), head('buyers', true)],
      /** @type {(keyof typeof sheet.ends)[]} */ (Object.keys(sheet.ends))
        .filter((name) => sheet.ends[name] > 0)
        .map((name) => [t(`admin.rehearsal.end.${name}`), number(sheet.ends[name])]),
    ),
    sheet.examples.length > 0 &&
      el(
        'details',
        { class: 'more', open: true },
        el('summary', null, t('admin.rehearsal.examples')),
        el(
          'ul',
          null,
          sheet.examples.map((example) => el('li', { dir: 'ltr' }, example)),
        ),
      ),
  ];
}

/** A rehearsal with its state, its live figures or its sheet. @param {Api.Rehearsal} rehearsal */
export function rehearsalView(rehearsal) {
  const { state, progress, sheet, ended_at, removed_at } = rehearsal;
  return [
    el(
      'p',
      { class: 'rehearsal-state', role: 'status', 'data-state': state },
      stateBadge(state),
      ' ',
      t('admin.rehearsal.of', { id: String(rehearsal.id), at: time(rehearsal.started_at, 'day') }),
      ' ',
      ended_at && t(removed_at ? 'admin.rehearsal.removed' : 'admin.rehearsal.removing'),
    ),
    state === 'RUNNING' && (progress ? liveFigures(progress) : el('p', { class: 'muted' }, t('admin.rehearsal.preparing'))),
    ...(sheet ? sheetTables(sheet) : []),
    state === 'BROKEN' && el('p', { class: 'strip strip-warn' }, t('admin.rehearsal.broken')),
  ];
}
