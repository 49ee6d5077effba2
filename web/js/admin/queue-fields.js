// @ts-check
/** The form fields of a queue's settings, with their limits and defaults. */
import { el } from '../lib/dom.js';
import { number, t } from '../lib/text.js';
import { field, localInput } from './parts.js';

/** @typedef {import('../onsale/types.d.ts').QueueChange} QueueChange */
/**
 * The names of settings that are numbers.
 * @typedef {{ [Name in keyof QueueChange]-?: NonNullable<QueueChange[Name]> extends number ? Name : never }[keyof QueueChange]} NumericName
 */
/** @typedef {{ name: NumericName, min: number, max: number, usual: number, unit: string }} Numeric */

/** The numeric settings, in the order in which they affect a buyer. @type {Numeric[]} */
export const NUMBERS = [
  { name: 'capacity', min: 0, max: 1_000_000, usual: 500, unit: 'people' },
  { name: 'admit_per_second', min: 1, max: 10_000, usual: 50, unit: 'persecond' },
  { name: 'active_ttl_seconds', min: 1, max: 86_400, usual: 600, unit: 'seconds' },
  { name: 'hold_ttl_seconds', min: 1, max: 3_600, usual: 300, unit: 'seconds' },
  { name: 'max_seats_per_user', min: 1, max: 100, usual: 4, unit: 'seats' },
  { name: 'claim_window_seconds', min: 1, max: 3_600, usual: 60, unit: 'seconds' },
  { name: 'presence_window_seconds', min: 10, max: 600, usual: 90, unit: 'seconds' },
  { name: 'return_grace_seconds', min: 0, max: 86_400, usual: 600, unit: 'seconds' },
  { name: 'auto_min_per_second', min: 1, max: 10_000, usual: 5, unit: 'persecond' },
  { name: 'auto_max_per_second', min: 1, max: 10_000, usual: 200, unit: 'persecond' },
  { name: 'auto_p99_ms', min: 10, max: 10_000, usual: 500, unit: 'ms' },
  { name: 'auto_error_percent', min: 1, max: 100, usual: 2, unit: 'percent' },
  { name: 'auto_slots_percent', min: 1, max: 100, usual: 100, unit: 'percent' },
];

/** The first settings are always shown; the others have defaults that fit most sales. */
const MAIN_COUNT = 5;
/** The settings of the automatic rate begin here. */
const AUTO_FROM = 8;

/** Formats a setting's value. @param {string} name @param {import('./settings.js').Value} value */
export function settingText(name, value) {
  const of = NUMBERS.find((one) => one.name === name);
  if (of) return t(`admin.unit.${of.unit}.of`, { n: Number(value) });
  if (name === 'paused') return t(value ? 'admin.paused' : 'admin.running');
  if (name === 'admission_mode') return t(`admin.mode.${value}`);
  if (name === 'entry_order') return t(`admin.order.${value}`);
  if (name === 'message') return String(value ?? t('admin.nomessage'));
  return String(value);
}

/** @param {Numeric} of @param {QueueChange} settings */
function numeric({ name, min, max, usual, unit }, settings) {
  const input = el('input', {
    type: 'number',
    min,
    max,
    step: 1,
    required: true,
    value: settings[name] ?? usual,
    inputmode: 'numeric',
    name,
  });
  const hint = `${t(`admin.setting.${name}.does`)} ${t('admin.setting.range', { min: number(min), max: number(max), usual: number(usual) })}`;
  return { name, input, part: field(t(`admin.setting.${name}`), input, { hint, unit: t(`admin.unit.${unit}`) }) };
}

/**
 * The fields of a queue's settings.
 * @param {QueueChange} settings the current values; empty for a new schedule
 * @param {{ fixed?: boolean }} [more] `fixed`: the queue is open, so the admission order can't be changed
 */
export function queueFields(settings, { fixed = false } = {}) {
  const numbers = NUMBERS.map((of) => numeric(of, settings));
  const order = el(
    'select',
    { name: 'entry_order', disabled: fixed },
    ['FIFO', 'DRAW'].map((value) => el('option', { value }, t(`admin.order.${value}`))),
  );
  order.value = settings.entry_order ?? 'FIFO';
  const mode = el(
    'select',
    { name: 'admission_mode' },
    ['FIXED', 'AUTO'].map((value) => el('option', { value }, t(`admin.mode.${value}`))),
  );
  mode.value = settings.admission_mode ?? 'FIXED';
  const opens = el('input', {
    type: 'datetime-local',
    name: 'queue_opens_at',
    value: settings.queue_opens_at ? localInput(settings.queue_opens_at) : '',
  });
  const hint = t('admin.setting.entry_order.does') + (fixed ? ` ${t('admin.setting.entry_order.fixed')}` : '');
  const parts = (/** @type {typeof numbers} */ of) =>
    el(
      'div',
      { class: 'fields' },
      of.map(({ part }) => part),
    );
  return {
    parts: [
      parts(numbers.slice(0, MAIN_COUNT)),
      el(
        'div',
        { class: 'fields' },
        field(t('admin.setting.entry_order'), order, { hint }),
        field(t('admin.setting.queue_opens_at'), opens, { hint: t('admin.setting.queue_opens_at.does') }),
      ),
      el('details', { class: 'more' }, el('summary', null, t('admin.setting.more')), parts(numbers.slice(MAIN_COUNT, AUTO_FROM))),
      el(
        'details',
        { class: 'more', open: settings.admission_mode === 'AUTO' },
        el('summary', null, t('admin.setting.auto')),
        el('div', { class: 'fields' }, field(t('admin.setting.admission_mode'), mode, { hint: t('admin.setting.admission_mode.does') })),
        parts(numbers.slice(AUTO_FROM)),
      ),
    ],
    /** The settings that differ from `old`. @param {QueueChange} old @returns {QueueChange} */
    change: (old) => {
      /** @type {QueueChange} */
      const change = {};
      for (const { name, input } of numbers) if (Number(input.value) !== old[name]) change[name] = Number(input.value);
      if (mode.value !== (old.admission_mode ?? 'FIXED')) change.admission_mode = /** @type {QueueChange['admission_mode']} */ (mode.value);
      if (!fixed && order.value !== old.entry_order) change.entry_order = /** @type {QueueChange['entry_order']} */ (order.value);
      const at = opens.value && new Date(opens.value).toISOString();
      if (at && localInput(at) !== (old.queue_opens_at ? localInput(old.queue_opens_at) : '')) change.queue_opens_at = at;
      return change;
    },
  };
}
