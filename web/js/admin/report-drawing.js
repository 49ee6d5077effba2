// @ts-check
/** Bar charts of a sale over time, as SVG, so that they are sharp on paper too. */
import { el, svg } from '../lib/dom.js';
import { number, t, time } from '../lib/text.js';

/** @typedef {import('../onsale/types.d.ts').ReportPart} Part */
/** The counts of a part. @typedef {Exclude<keyof Part, 'since'>} Count */

const [HEIGHT, LEFT, BOTTOM, TOP] = [190, 56, 24, 10];
/** The width of a drawing. A drawing for a small screen is not made smaller, since nobody could read it then. */
const drawingWidth = () => (matchMedia('(max-width: 44rem)').matches ? 340 : 720);

/** The next round number. @param {number} most */
function roundUp(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((value) => value >= most) ?? most;
}

/**
 * The starts of all intervals, including those without events.
 * @param {Part[]} parts @param {number} seconds
 * @returns {number[]} the starts, in ms
 */
export function intervalStarts(parts, seconds) {
  if (parts.length === 0) return [];
  const [first, last] = [Date.parse(parts[0].since), Date.parse(/** @type {Part} */ (parts.at(-1)).since)];
  const count = Math.min(2000, Math.round((last - first) / 1000 / seconds) + 1);
  return Array.from({ length: count }, (_, at) => first + at * seconds * 1000);
}

/** The horizontal grid lines with their values. @param {number} width @param {number} most @param {(value: number) => number} y */
const gridLines = (width, most, y) =>
  (most < 2 ? [0, 1] : [0, 0.5, 1])
    .map((part) => part * most)
    .flatMap((value) => [
      svg('line', { x1: LEFT, x2: width, y1: y(value), y2: y(value), class: 'bar-rule' }),
      svg('text', { x: LEFT - 8, y: y(value) + 4, 'text-anchor': 'end', class: 'bar-text' }, number(Math.round(value))),
    ]);

/**
 * A chart of counts over time, with one bar per series side by side.
 * @param {string} title
 * @param {Part[]} parts
 * @param {number} seconds length of each interval
 * @param {{ name: Count, colour: number, label: string }[]} lines
 */
export function barChart(title, parts, seconds, lines) {
  const width = drawingWidth();
  const at = intervalStarts(parts, seconds);
  const partAt = new Map(parts.map((part) => [Date.parse(part.since), part]));
  const most = roundUp(Math.max(...parts.flatMap((part) => lines.map(({ name }) => part[name])), 1));
  const y = (/** @type {number} */ value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
  const step = (width - LEFT) / Math.max(1, at.length);
  const wide = Math.max(0.8, (step * 0.8) / lines.length);
  const drawn = at.flatMap((since, index) =>
    lines.flatMap(({ name, colour }, of) => {
      const value = partAt.get(since)?.[name] ?? 0;
      const x = LEFT + index * step + step * 0.1 + of * wide;
      return value > 0 ? [svg('rect', { x, y: y(value), width: wide, height: y(0) - y(value), class: `chart-bar bar-${colour}` })] : [];
    }),
  );
  const labels =
    at.length === 0
      ? []
      : [0, Math.floor(at.length / 2), at.length - 1]
          .filter((one, index, all) => all.indexOf(one) === index)
          .map((index) =>
            svg(
              'text',
              {
                x: Math.min(width - 32, Math.max(LEFT + 16, LEFT + (index + 0.5) * step)),
                y: HEIGHT - 6,
                'text-anchor': 'middle',
                class: 'bar-text',
              },
              time(at[index], at.length * seconds > 86_400 ? 'day' : seconds < 60 ? 'exact' : 'clock'),
            ),
          );
  const sums = lines.map(({ name, label }) => `${label} ${number(parts.reduce((sum, part) => sum + part[name], 0))}`).join(', ');
  const image = svg(
    'svg',
    { viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', 'aria-label': t('admin.report.drawing', { title, sums }), class: 'bars' },
    ...gridLines(width, most, y),
    ...drawn,
    ...labels,
  );
  const legend = lines.map(({ colour, label }) => el('li', null, el('span', { class: `adm-swatch adm-swatch-bar-${colour}` }), label));
  return el('figure', { class: 'drawing' }, el('figcaption', null, el('h3', null, title), el('ul', { class: 'legend' }, legend)), image);
}
