// @ts-check
/** Formats texts, numbers, money and times in the reader's language. */
import { OnsaleError } from '../onsale/call.js';
import { page } from './page.js';

const plural = new Intl.PluralRules(page.lang);
const whole = new Intl.NumberFormat(page.lang);
const tenths = new Intl.NumberFormat(page.lang, { maximumFractionDigits: 1 });

/** Formats a number. Writes -0, which sums and rounding can produce, as 0. @param {Intl.NumberFormat} form @param {number} value */
export function formatNumber(form, value) {
  const text = form.format(value);
  return text === '-0' ? '0' : text;
}

/**
 * The text of `key`, with `{name}` replaced from `values`. A count `n` selects the plural form
 * `key.one` or `key.other`. A missing text shows as its key.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const { texts } = page;
  const form = typeof values.n === 'number' ? plural.select(values.n) : 'other';
  const text = texts[key] ?? texts[`${key}.${form}`] ?? texts[`${key}.other`] ?? key;
  return text.replace(/\{(\w+)\}/g, (hole, name) => {
    const value = values[name];
    return value === undefined ? hole : typeof value === 'number' ? number(value) : value;
  });
}

/** Whether a text with this key exists. @param {string} key */
export const hasText = (key) => key in page.texts;

/** A whole number. @param {number} value */
export const number = (value) => formatNumber(whole, value);

/** A number with one decimal at most. @param {number} value */
export const decimal = (value) => formatNumber(tenths, value);

/** A price. @param {number} value in points; one point is one won */
export const money = (value) => (page.lang === 'ko' ? `${number(value)}원` : `₩${number(value)}`);

/** An amount of points. @param {number} value */
export const points = (value) => t('common.points', { n: value });

/** @typedef {'full' | 'day' | 'date' | 'clock' | 'exact'} TimeForm */

/** @type {Record<TimeForm, Intl.DateTimeFormatOptions>} */
const FORMS = {
  full: { year: 'numeric', month: 'short', day: 'numeric', weekday: 'short', hour: 'numeric', minute: '2-digit' },
  day: { month: 'short', day: 'numeric', weekday: 'short', hour: 'numeric', minute: '2-digit' },
  date: { year: 'numeric', month: 'short', day: 'numeric', weekday: 'short' },
  clock: { hour: 'numeric', minute: '2-digit' },
  exact: { hour: 'numeric', minute: '2-digit', second: '2-digit' },
};

/**
 * A time in the reader's time zone.
 * @param {string | number | Date} value
 * @param {TimeForm} [form]
 */
export function time(value, form = 'full') {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return '';
  return new Intl.DateTimeFormat(page.lang, FORMS[form] ?? FORMS.full).format(date);
}

/**
 * The remaining time: `4:59`, `1:02:03`, `3 days 04:05:06`.
 * @param {number} ms
 */
export function countdown(ms) {
  const all = Math.max(0, Math.ceil(ms / 1000));
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0');
  const [days, hours, minutes, seconds] = [Math.floor(all / 86400), Math.floor(all / 3600) % 24, Math.floor(all / 60) % 60, all % 60];
  if (days > 0) return `${t('common.days', { n: days })} ${two(hours)}:${two(minutes)}:${two(seconds)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/**
 * A duration in words: `40 seconds`, `3 minutes`, `2 hours`.
 * @param {number} seconds
 */
export function duration(seconds) {
  const value = Math.max(0, seconds);
  if (value < 60) return t('common.seconds', { n: Math.max(1, Math.round(value)) });
  if (value < 90 * 60) return t('common.minutes', { n: Math.round(value / 60) });
  if (value < 36 * 3600) return t('common.hours', { n: Math.round(value / 3600) });
  return t('common.days', { n: Math.round(value / 86400) });
}

/**
 * The text that explains an error to the reader.
 * @param {unknown} error an OnsaleError, or any other thrown value
 * @returns {string}
 */
export function errorText(error) {
  const key = `common.error.${OnsaleError.from(error).code}`;
  return hasText(key) ? t(key) : t('common.error.unknown');
}
