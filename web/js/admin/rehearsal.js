// @ts-check
/** Rehearsals of a sale: starts one, follows it, and shows the sheets of those before. */
import { confirm } from '../lib/dialog.js';
import { el, setChildren } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { OnsaleError } from '../onsale.js';
import { card, field, form, runOnce } from './parts.js';
import { call, get, post } from './api.js';
import { rehearsalView, stateBadge } from './rehearsal-sheet.js';
import { may } from './role.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** Interval between two looks at a rehearsal that is not over, in ms. */
const INTERVAL_MS = 1000;

/** What is asked. @type {{ name: string, usual: number, min: number, max: number, unit: string }[]} */
const FIELDS = [
  { name: 'buyers', usual: 1000, min: 1, max: 50_000, unit: 'admin.unit.people' },
  { name: 'requests_per_second', usual: 500, min: 1, max: 5000, unit: 'admin.unit.persecond' },
  { name: 'early_seconds', usual: 20, min: 0, max: 3600, unit: 'admin.unit.seconds' },
  { name: 'late_seconds', usual: 20, min: 1, max: 3600, unit: 'admin.unit.seconds' },
  { name: 'max_minutes', usual: 15, min: 1, max: 120, unit: 'admin.forecast.minutes' },
];

/** The form that starts a rehearsal. @param {number} schedule @param {() => Promise<void>} started */
function startForm(schedule, started) {
  const inputs = FIELDS.map(({ name, usual, min, max }) =>
    el('input', { type: 'number', name, min, max, step: 1, required: true, inputmode: 'numeric', value: usual }),
  );
  const parts = FIELDS.map(({ name, unit }, at) =>
    field(t(`admin.rehearsal.field.${name}`), inputs[at], { unit: t(unit), hint: t(`admin.rehearsal.field.${name}.does`) }),
  );
  const start = async (/** @type {boolean} */ beside) => {
    const plan = Object.fromEntries(inputs.map((input) => [input.name, Number(input.value)]));
    await post(`/v1/admin/schedules/${schedule}/rehearsals`, { ...plan, beside_open_sales: beside });
    await started();
  };
  const act = async () => {
    try {
      await start(false);
    } catch (error) {
      const { code } = OnsaleError.from(error);
      if (code !== 'sale_is_open') throw error;
      const sure = await confirm({
        title: t('admin.rehearsal.beside'),
        body: el('p', null, t('admin.rehearsal.beside.body')),
        yes: t('admin.rehearsal.go'),
        danger: true,
      });
      if (sure) await start(true);
    }
  };
  return form(t('admin.rehearsal.go'), act, el('div', { class: 'fields' }, parts));
}

/** @type {import('./schedule.js').Tab} */
export async function rehearsalPart(place, { schedule }) {
  const ending = new AbortController();
  const current = el('div', { class: 'rehearsal-current', 'aria-live': 'polite' });
  const earlier = el('ul', { class: 'rehearsal-list' });
  /** The rehearsal shown; null for the newest. @type {number | null} */
  let shown = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const stopButton = (/** @type {number} */ id) => {
    const button = el('button', { type: 'button', class: 'button quiet', id: 'rehearsal-stop' }, t('admin.rehearsal.stop'));
    button.addEventListener('click', () =>
      runOnce(button, async () => {
        await call('DELETE', `/v1/admin/rehearsals/${id}`);
        await look();
      }),
    );
    return button;
  };

  const look = async () => {
    clearTimeout(timer);
    /** @type {Api.RehearsalList} */
    const { items } = await get(`/v1/admin/schedules/${schedule.id}/rehearsals`, ending.signal);
    if (ending.signal.aborted) return;
    const rehearsal = items.find(({ id }) => id === shown) ?? items[0];
    setChildren(
      current,
      ...(rehearsal
        ? [...rehearsalView(rehearsal), rehearsal.state === 'RUNNING' && may('operator') && stopButton(rehearsal.id)]
        : [el('p', { class: 'muted' }, t('admin.rehearsal.none'))]),
    );
    setChildren(
      earlier,
      ...items.map(({ id, state }) =>
        el(
          'li',
          null,
          el(
            'button',
            {
              type: 'button',
              class: 'button quiet small',
              'aria-pressed': String(id === rehearsal?.id),
              on: {
                click: () => {
                  shown = id;
                  look();
                },
              },
            },
            t('admin.rehearsal.number', { id: String(id) }),
            ' ',
            stateBadge(state),
          ),
        ),
      ),
    );
    if (items.some(({ removed_at }) => removed_at === null)) timer = setTimeout(lookAgain, INTERVAL_MS);
  };
  const lookAgain = async () => {
    try {
      await look();
    } catch {
      if (!ending.signal.aborted) timer = setTimeout(lookAgain, INTERVAL_MS);
    }
  };
  const started = async () => {
    shown = null;
    await look();
  };
  setChildren(
    place,
    card(
      t('admin.rehearsal.title'),
      el('p', { class: 'hint' }, t('admin.rehearsal.lead')),
      may('operator') && startForm(schedule.id, started),
    ),
    card(t('admin.rehearsal.sheet'), current, earlier),
  );
  await look();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}
