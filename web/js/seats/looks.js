// @ts-check
/**
 * The colours of the map: they are in the stylesheet, and read from there.
 */
import { KIND_GONE, KIND_HELD, KIND_MINE, KIND_PICKED, LEFT_OUT } from './choice.js';
import { MOST_BANDS } from './prices.js';
import { FULL, RING, SPECK } from './raster.js';

/** @typedef {import('./raster.js').Look} Look */
/** @typedef {{looks: Look[], ink: string, soft: string, paper: string, line: string, accent: string, stage: string, font: string}} Paint */

/**
 * How seats and marks are painted, in the theme of now.
 * @param {HTMLElement} host @returns {Paint}
 */
export function paintOf(host) {
  const probe = host.appendChild(document.createElement('i'));
  const colour = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  /** @type {Look[]} */
  const looks = [];
  for (let band = 0; band < MOST_BANDS; band++) {
    const text = colour(`band-${band}`);
    looks[band] = look(text, FULL);
    looks[band + LEFT_OUT] = look(text, SPECK, 0.45);
  }
  looks[KIND_HELD] = look(colour('seat-held'), RING);
  looks[KIND_GONE] = look(colour('seat-gone'), SPECK);
  looks[KIND_MINE] = look(colour('seat-mine'), FULL);
  looks[KIND_PICKED] = look(colour('seat-picked'), FULL);
  const paint = {
    looks,
    ink: colour('map-ink'),
    soft: colour('map-soft'),
    paper: colour('map-paper'),
    line: colour('map-line'),
    accent: colour('map-accent'),
    stage: colour('map-stage'),
    font: getComputedStyle(host).fontFamily,
  };
  probe.remove();
  return paint;
}

/** @param {string} text as computed: `rgb(1, 2, 3)` @param {number} shape @param {number} [alpha] @returns {Look} */
function look(text, shape, alpha = 1) {
  const [red, green, blue] = (text.match(/[\d.]+/g) ?? ['128', '128', '128']).map(Number);
  return { red, green, blue, alpha, shape };
}
