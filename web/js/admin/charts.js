// @ts-check
/** The charts of a sale, recorded and live, with markers for what changed; drawn by uPlot. */
import { serverNow } from '../lib/clock.js';
import { el, setChildren, setText } from '../lib/dom.js';
import { decimal, money, number, t, time, formatNumber } from '../lib/text.js';
import { page } from '../lib/page.js';
import { markerColour } from './markers.js';

/** @typedef {import('./series.js').Name} Name */
/** @typedef {import('./series.js').SaleSeries} SaleSeries */
/** @typedef {import('./series.js').Marker} Marker */
/** @typedef {{ name: Name, colour: number, dash?: boolean, fill?: boolean }} Line */
/** @typedef {{ key: string, lines: Line[], format: (value: number) => string }} Chart */

const whole = (/** @type {number} */ value) => number(Math.round(value));
const perSecond = (/** @type {number} */ value) => t('admin.persecond', { value: decimal(value) });
const ms = (/** @type {number} */ value) => t('admin.ms', { value: value < 10 ? decimal(value) : whole(value) });

/** @type {Chart[]} */
const CHARTS = [
  { key: 'waiting', lines: [{ name: 'waiting', colour: 1, fill: true }], format: whole },
  {
    key: 'inside',
    lines: [
      { name: 'active', colour: 2, fill: true },
      { name: 'capacity', colour: 6, dash: true },
    ],
    format: whole,
  },
  {
    key: 'flow',
    lines: [
      { name: 'joins', colour: 1 },
      { name: 'admissions', colour: 2 },
      { name: 'ends', colour: 6 },
    ],
    format: perSecond,
  },
  {
    key: 'seats',
    lines: [
      { name: 'sold', colour: 3, fill: true },
      { name: 'held', colour: 4 },
    ],
    format: whole,
  },
  { key: 'sales', lines: [{ name: 'sales', colour: 3 }], format: perSecond },
  { key: 'revenue', lines: [{ name: 'revenue', colour: 3, fill: true }], format: money },
  {
    key: 'p99',
    lines: [
      { name: 'join', colour: 1 },
      { name: 'hold', colour: 4 },
      { name: 'pay', colour: 3 },
      { name: 'poll', colour: 6 },
    ],
    format: ms,
  },
  {
    key: 'errors',
    lines: [
      { name: 'errors', colour: 5, fill: true },
      { name: 'limited', colour: 6 },
      { name: 'refusals', colour: 4 },
    ],
    format: perSecond,
  },
];

const HEIGHT = 150;

/** @type {typeof import('../../vendor/uplot/uPlot.esm.js').default | null} */
let UPlot = null;

/** Compact numbers for the axes: 12K, 1.2억. */
const compact = new Intl.NumberFormat(page.lang, { notation: 'compact', maximumFractionDigits: 1 });

/**
 * The time range shown: at least a minute, up to the last value.
 * @param {unknown} _ @param {number | null} first @param {number | null} last
 * @returns {[number, number]}
 */
function timeRange(_, first, last) {
  const end = last ?? serverNow() / 1000;
  return [Math.min(first ?? end, end - 60), end];
}

/** Formats the times of an axis, with seconds if they are less than a minute apart. @param {number[]} at in seconds */
const axisTimes = (at) => at.map((one) => time(one * 1000, at.length > 1 && at[1] - at[0] < 60 ? 'exact' : 'clock'));

/** @param {CSSStyleDeclaration} style @param {string} name */
const colourOf = (style, name) => style.getPropertyValue(name).trim() || '#888';

/**
 * Draws the markers as lines from top to bottom.
 * @param {import('../../vendor/uplot/uPlot.esm.js').default} plot @param {Marker[]} markers @param {CSSStyleDeclaration} style
 */
function drawMarkers(plot, markers, style) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at, kind } of markers) {
    const x = Math.round(plot.valToPos(Date.parse(at) / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colourOf(style, `--chart-${markerColour(kind)}`);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/**
 * The options for uPlot.
 * @param {Chart} chart @param {HTMLElement} box @param {() => Marker[]} markers
 * @returns {import('uplot').Options}
 */
function options(chart, box, markers) {
  const style = getComputedStyle(box);
  const [ink, grid] = [colourOf(style, '--chart-ink'), colourOf(style, '--chart-grid')];
  const axis = { stroke: ink, font: `11px ${style.fontFamily}`, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  const series = chart.lines.map(({ colour, dash, fill: filled }) => {
    const stroke = colourOf(style, `--chart-${colour}`);
    return {
      stroke,
      width: 2,
      dash: dash ? [6, 4] : undefined,
      fill: filled ? `${stroke}22` : undefined,
      points: { show: false },
      spanGaps: false,
    };
  });
  return {
    width: Math.max(200, box.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    hooks: { draw: [(/** @type {import('../../vendor/uplot/uPlot.esm.js').default} */ plot) => drawMarkers(plot, markers(), style)] },
    cursor: { sync: { key: 'onsale' }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: timeRange },
      y: {
        range: (/** @type {unknown} */ _, /** @type {number | null} */ low, /** @type {number | null} */ high) => [
          Math.min(0, low ?? 0),
          Math.max(1, (high ?? 1) * 1.1),
        ],
      },
    },
    axes: [
      { ...axis, size: 26, space: 86, values: (/** @type {unknown} */ _, /** @type {number[]} */ at) => axisTimes(at) },
      {
        ...axis,
        size: 52,
        space: 34,
        values: (/** @type {unknown} */ _, /** @type {number[]} */ at) =>
          at.map((one) => (chart.format === whole && !Number.isInteger(one) ? '' : formatNumber(compact, one))),
      },
    ],
    series: [{}, ...series],
  };
}

/** A chart with its title and a legend with the current values. */
class Panel {
  /** @param {Chart} chart */
  constructor(chart) {
    this.chart = chart;
    this.box = el('div', { class: 'chart-box', 'aria-hidden': 'true' });
    this.values = chart.lines.map(() => el('strong', null, '–'));
    this.swatches = chart.lines.map(({ colour, dash }) => el('span', { class: `line-swatch line-${colour}${dash ? ' line-dash' : ''}` }));
    const legend = chart.lines.map(({ name }, at) => el('li', null, this.swatches[at], t(`admin.chart.${name}`), ' ', this.values[at]));
    this.element = el(
      'figure',
      { class: 'chart', id: `chart-${chart.key}` },
      el('figcaption', null, el('h3', null, t(`admin.chart.title.${chart.key}`)), el('ul', { class: 'chart-legend' }, legend)),
      this.box,
    );
    /** @type {import('../../vendor/uplot/uPlot.esm.js').default | null} */
    this.plot = null;
    /** @type {Marker[]} */
    this.markers = [];
  }

  make() {
    this.plot?.destroy();
    this.plot = UPlot
      ? new UPlot(
          options(this.chart, this.box, () => this.markers),
          [[], ...this.chart.lines.map(() => [])],
          this.box,
        )
      : null;
  }

  /** @param {SaleSeries} series */
  show({ at, values, markers }) {
    this.chart.lines.forEach(({ name }, line) => {
      const value = values[name].at(-1);
      setText(this.values[line], value === null || value === undefined ? '–' : this.chart.format(value));
    });
    this.markers = markers;
    if (!this.plot || at.length === 0) return;
    const lines = this.chart.lines.map(({ name }) => values[name]);
    // uPlot shows a whole day around a single value.
    this.plot.setData(at.length === 1 ? [[at[0] - 1, at[0]], ...lines.map(([value]) => [null, value])] : [at, ...lines]);
  }
}

/**
 * The charts of a sale.
 * @returns {{ element: HTMLElement, show: (series: SaleSeries) => void, end: () => void }}
 */
export function charts() {
  const panels = CHARTS.map((chart) => new Panel(chart));
  const element = el(
    'div',
    { class: 'charts' },
    panels.map((panel) => panel.element),
  );
  /** @type {SaleSeries | null} */
  let last = null;
  const make = () => {
    for (const panel of panels) panel.make();
    if (last) for (const panel of panels) panel.show(last);
  };
  const resize = new ResizeObserver(() => {
    for (const { plot, box } of panels) plot?.setSize({ width: Math.max(200, box.clientWidth), height: HEIGHT });
  });
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', make);
  resize.observe(element);
  loadLibrary(element).then((loaded) => loaded && make());
  return {
    element,
    show: (series) => {
      last = series;
      if (document.visibilityState === 'visible') for (const panel of panels) panel.show(series);
    },
    end: () => {
      resize.disconnect();
      dark.removeEventListener('change', make);
      for (const { plot } of panels) plot?.destroy();
    },
  };
}

/** Loads uPlot. If that fails, shows a notice and returns false. @param {HTMLElement} element */
async function loadLibrary(element) {
  try {
    UPlot ??= (await import('../../vendor/uplot/uPlot.esm.js')).default;
    return true;
  } catch {
    setChildren(element, el('p', { class: 'strip strip-warn' }, t('admin.chart.none')));
    return false;
  }
}
