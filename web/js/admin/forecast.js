// @ts-check
/** The forecast of a sale: what it needs, and how it goes. */
import { el, setChildren } from '../lib/dom.js';
import { decimal, t } from '../lib/text.js';
import { card, field, form, runOnce } from './parts.js';
import { post } from './api.js';
import { forecastPlots } from './forecast-plot.js';
import { endsTable, planResult, summaryFigures } from './forecast-results.js';
import { propose } from './proposal.js';
import { may } from './role.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** @typedef {{ name: string, usual: number, min: number, max: number, step?: number | 'any', unit: string, hint?: string }} Assumption */

const [PEOPLE, MINUTES, PERCENT, SECONDS] = ['admin.unit.people', 'admin.forecast.minutes', 'admin.forecast.percent', 'admin.unit.seconds'];

/** What is asked first. @type {Assumption[]} */
const MAIN = [
  { name: 'people', usual: 5000, min: 1, max: 1_000_000_000, unit: PEOPLE },
  { name: 'within', usual: 60, min: 0.1, max: 10_080, step: 'any', unit: MINUTES, hint: 'admin.forecast.within.hint' },
  { name: 'arrive', usual: 10, min: 0.1, max: 10_080, step: 'any', unit: MINUTES },
  { name: 'pays', usual: 80, min: 1, max: 100, unit: PERCENT, hint: 'admin.forecast.pays.hint' },
];

/** The other assumptions. @type {Assumption[]} */
const MORE = [
  { name: 'basket', usual: 2, min: 1, max: 20, step: 'any', unit: 'admin.unit.seats' },
  { name: 'noshows', usual: 5, min: 0, max: 100, unit: PERCENT },
  { name: 'choose', usual: 60, min: 1, max: 3600, unit: SECONDS },
  { name: 'pay', usual: 60, min: 1, max: 3600, unit: SECONDS },
  { name: 'cores', usual: 4, min: 1, max: 1024, unit: 'admin.forecast.cores' },
];

/** The values entered last for each sale. @type {Map<number, Record<string, string>>} */
const entered = new Map();

/** The fields of all assumptions. @param {number} schedule */
function assumptions(schedule) {
  const kept = entered.get(schedule) ?? {};
  /** @type {Record<string, HTMLInputElement>} */
  const inputs = {};
  const parts = (/** @type {Assumption[]} */ of) =>
    of.map(({ name, usual, min, max, step = 1, unit, hint }) => {
      const input = el('input', { type: 'number', name, min, max, step, required: true, inputmode: 'decimal' });
      input.value = kept[name] ?? String(usual);
      inputs[name] = input;
      return field(t(`admin.forecast.${name}`), input, { unit: name === 'cores' ? undefined : t(unit), hint: hint && t(hint) });
    });
  return {
    parts: [
      el('div', { class: 'fields' }, parts(MAIN)),
      el('details', { class: 'more' }, el('summary', null, t('admin.forecast.more')), el('div', { class: 'fields' }, parts(MORE))),
    ],
    /** The number in a field. @param {string} name */
    value: (name) => Number(inputs[name].value),
    keep: () => entered.set(schedule, Object.fromEntries(Object.entries(inputs).map(([name, { value }]) => [name, value]))),
    /** Whether all fields are filled in as they must be; the first wrong one says why. */
    isValid: () => Object.values(inputs).every((input) => input.reportValidity()),
  };
}

/**
 * How likely a person wants one seat, two, and so on, with this mean: one of the two whole numbers
 * around it.
 * @param {number} mean
 */
function baskets(mean) {
  const whole = Math.max(1, Math.floor(mean));
  const part = mean - whole;
  return Array.from({ length: whole + 1 }, (_, at) => (at + 1 === whole ? 1 - part : at === whole ? part : 0));
}

/** @type {import('./schedule.js').Tab} */
export function forecastPart(place, { schedule }) {
  const fields = assumptions(schedule.id);
  const plan = el('div', { class: 'forecast-result', 'aria-live': 'polite' });
  const simulated = el('div', { class: 'forecast-result', 'aria-live': 'polite' });
  /** @type {(() => void) | undefined} */
  let endPlots;

  const useButton = (/** @type {import('./proposal.js').Proposal} */ proposal) =>
    el('button', { type: 'button', class: 'button', on: { click: () => propose(schedule.id, proposal) } }, t('admin.forecast.use'));
  const recommendation = (/** @type {import('./proposal.js').Proposal} */ proposal) =>
    el(
      'p',
      { class: 'recommended' },
      el('strong', null, t('admin.forecast.recommended', { capacity: proposal.capacity, rate: proposal.admit_per_second })),
      ' ',
      may('operator') && useButton(proposal),
    );

  const makePlan = async () => {
    fields.keep();
    /** @type {Api.Plan} */
    const made = await post('/v1/admin/plan', {
      schedule_id: schedule.id,
      people: fields.value('people'),
      minutes: fields.value('within'),
      arrive_minutes: fields.value('arrive'),
      seats_per_buyer: fields.value('basket'),
      share_that_pays: fields.value('pays') / 100,
      buy_minutes: (fields.value('choose') + fields.value('pay')) / 60,
      cores_per_process: fields.value('cores'),
    });
    setChildren(plan, recommendation(made.settings), ...planResult(made));
  };

  const simulate = async (/** @type {boolean} */ recommend) => {
    fields.keep();
    /** @type {Api.Simulation} */
    const { summary, recommended } = await post('/v1/admin/simulations', {
      schedule_id: schedule.id,
      people: fields.value('people'),
      early_minutes: fields.value('arrive') / 2,
      late_minutes: fields.value('arrive') / 2,
      pays: fields.value('pays') / 100,
      no_shows: fields.value('noshows') / 100,
      choose_seconds: fields.value('choose'),
      pay_seconds: fields.value('pay'),
      baskets: baskets(fields.value('basket')),
      ...(recommend && { within_minutes: fields.value('within') }),
    });
    endPlots?.();
    const plots = forecastPlots(summary.plots);
    endPlots = plots.end;
    setChildren(
      simulated,
      recommended && recommendation(recommended),
      summaryFigures(summary),
      el('h3', null, t('admin.forecast.course')),
      el('p', { class: 'hint' }, t('admin.forecast.course.hint', { runs: summary.runs })),
      summary.scale > 1 && el('p', { class: 'hint' }, t('admin.forecast.scale', { value: decimal(summary.scale) })),
      plots.element,
      endsTable(summary),
    );
  };

  const recommendButton = el('button', { type: 'button', class: 'button quiet' }, t('admin.forecast.recommend.go'));
  recommendButton.addEventListener('click', () => {
    if (fields.isValid()) runOnce(recommendButton, () => simulate(true));
  });
  const checked = (/** @type {() => Promise<void>} */ act) => async () => {
    if (fields.isValid()) await act();
  };
  const simulation = form(
    t('admin.forecast.simulate.go'),
    checked(() => simulate(false)),
  );
  simulation.querySelector('.actions')?.append(recommendButton);
  setChildren(
    place,
    card(t('admin.tab.forecast'), el('p', { class: 'hint' }, t('admin.forecast.lead')), el('div', { class: 'adm-form' }, fields.parts)),
    card(
      t('admin.forecast.plan'),
      el('p', { class: 'hint' }, t('admin.forecast.plan.lead')),
      form(t('admin.forecast.plan.go'), checked(makePlan)),
      plan,
    ),
    // A simulation takes processor time, so a viewer may only plan.
    may('operator') &&
      card(t('admin.forecast.simulate'), el('p', { class: 'hint' }, t('admin.forecast.simulate.lead')), simulation, simulated),
  );
  return () => endPlots?.();
}
