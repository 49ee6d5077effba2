// @ts-check
/** Formats figures of the sales report. */
import { decimal, duration, t } from '../lib/text.js';

/** Formats a duration, with decimals below a minute. @param {number | null | undefined} seconds */
export const spanText = (seconds) =>
  seconds === null || seconds === undefined ? '–' : seconds < 60 ? t('admin.seconds', { value: decimal(seconds) }) : duration(seconds);

/** Formats a share from 0 to 1 as a percentage. @param {number | null | undefined} share */
export const percentText = (share) => (share === null || share === undefined ? '' : t('admin.percent', { value: decimal(100 * share) }));

/** Formats a part of a whole as a percentage. @param {number} part @param {number} whole */
export const shareText = (part, whole) => percentText(whole > 0 ? part / whole : null);

/** The wait of a percentile. @param {{ percent: number, seconds: number }[]} percentiles @param {number} percent */
export const percentile = (percentiles, percent) => percentiles.find((one) => one.percent === percent)?.seconds ?? null;
