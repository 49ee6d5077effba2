// @ts-check
/** Plots of a simulated sale, with the range over its runs. Drawn by uPlot, like the live charts. */
import { el, setChildren } from '../lib/dom.js';
import { formatNumber, number, t } from '../lib/text.js';
import { page } from '../lib/page.js';

/** @typedef {import('../onsale/types.d.ts').ForecastPlot} ForecastPlot */

const HEIGHT = 150;
const compact = new Intl.NumberFormat(page.lang, { notation: 'compact', maximumFractionDigits: 1 });
/** The keys of the plots, in the order in which the simulation returns them. */
const KEYS = ['waiting', 'active', 'held', 'sold'];

/** A time from the opening: minutes and seconds, or hours and minutes. @param {number} seconds @param {boolean} long */
function offset(seconds, long) {
  const size = Math.abs(Math.round(seconds));
  const [big, small] = long ? [Math.floor(size / 3600), Math.floor(size / 60) % 60] : [Math.floor(size / 60), size % 60];
  return `${seconds < 0 ? '−' : ''}${big}:${String(small).padStart(2, '0')}`;
}

/** @param {ForecastPlot} plot @param {number} colour @param {HTMLElement} box @returns {import('uplot').Options} */
function options(plot, colour, box) {
  const style = getComputedStyle(box);
  const colourOf = (/** @type {string} */ name) => style.getPropertyValue(name).trim() || '#888';
  const [ink, grid, line] = [colourOf('--chart-ink'), colourOf('--chart-grid'), colourOf(`--chart-${colour}`)];
  const axis = { stroke: ink, font: `11px ${style.fontFamily}`, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  const edge = { stroke: `${line}55`, width: 1, points: { show: false } };
  const long = plot.to_seconds - plot.from_seconds > 3 * 3600;
  return {
    width: Math.max(200, box.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: 'forecast' }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: false },
      y: {
        range: (/** @type {unknown} */ _, /** @type {number | null} */ __, /** @type {number | null} */ high) => [
          0,
          Math.max(1, (high ?? 1) * 1.1),
        ],
      },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 70,
        values: (/** @type {unknown} */ _, /** @type {number[]} */ at) => at.map((one) => offset(one, long)),
      },
      {
        ...axis,
        size: 52,
        space: 34,
        values: (/** @type {unknown} */ _, /** @type {number[]} */ at) => at.map((one) => formatNumber(compact, one)),
      },
    ],
    series: [{}, edge, edge, { stroke: line, width: 2, points: { show: false } }],
    bands: [{ series: [2, 1], fill: `${line}33` }],
  };
}

/** A plot with its title and its legend. @param {ForecastPlot} plot @param {number} at */
function figure(plot, at) {
  const most = Math.max(...plot.values.map(({ high }) => high), 0);
  const key = KEYS[at];
  const box = el('div', { class: 'chart-box', 'aria-hidden': 'true' });
  const colour = at + 1;
  const legend = [
    el('li', null, el('span', { class: `line-swatch line-${colour}` }), t('admin.forecast.plot.median')),
    el('li', null, el('span', { class: `line-swatch line-${colour} line-band` }), t('admin.forecast.plot.range')),
  ];
  const title = el(
    'figcaption',
    null,
    el(
      'h3',
      null,
      t(`admin.forecast.plot.${key}`),
      ' ',
      el('small', null, t('admin.forecast.plot.most', { value: number(Math.round(most)) })),
    ),
    el('ul', { class: 'chart-legend' }, legend),
  );
  return { element: el('figure', { class: 'chart', id: `forecast-${key}` }, title, box), box, plot, colour };
}

/**
 * Draws the plots of a simulation.
 * @param {ForecastPlot[]} plots
 * @returns {{ element: HTMLElement, end: () => void }}
 */
export function forecastPlots(plots) {
  const figures = plots.slice(0, KEYS.length).map(figure);
  const element = el(
    'div',
    { class: 'charts' },
    figures.map((one) => one.element),
  );
  /** @type {import('../../vendor/uplot/uPlot.esm.js').default[]} */
  let drawn = [];
  let ended = false;
  const draw = async () => {
    try {
      const { default: UPlot } = await import('../../vendor/uplot/uPlot.esm.js');
      if (ended) return;
      for (const one of drawn) one.destroy();
      drawn = figures.map(({ plot, colour, box }) => {
        const { from_seconds: from, to_seconds: to, values } = plot;
        const at = values.map((_, column) => from + ((to - from) * column) / Math.max(1, values.length - 1));
        const lines = /** @type {const} */ (['low', 'high', 'median']).map((name) => values.map((value) => value[name]));
        return new UPlot(options(plot, colour, box), [at, ...lines], box);
      });
    } catch {
      setChildren(element, el('p', { class: 'strip strip-warn' }, t('admin.chart.none')));
    }
  };
  const resize = new ResizeObserver(() => {
    drawn.forEach((one, at) => one.setSize({ width: Math.max(200, figures[at].box.clientWidth), height: HEIGHT }));
  });
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', draw);
  resize.observe(element);
  // The boxes have their width once the element is in the page.
  requestAnimationFrame(draw);
  return {
    element,
    end: () => {
      ended = true;
      resize.disconnect();
      dark.removeEventListener('change', draw);
      for (const one of drawn) one.destroy();
    },
  };
}
