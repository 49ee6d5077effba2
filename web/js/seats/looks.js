// @ts-check
/**
 * The colours of the map, read from the stylesheet.
 */
import { KIND_GONE, KIND_HELD, KIND_MINE, KIND_PICKED, EXCLUDED } from './choice.js';
import { MAX_BANDS } from './prices.js';
import { FULL, RING, SPECK } from './raster.js';

/** @typedef {import('./raster.js').Look} Look */
/** @typedef {{looks: Look[], ink: string, soft: string, paper: string, line: string, accent: string, stage: string, font: string}} Paint */

/**
 * Reads how seats and marks are painted in the current theme.
 * @param {HTMLElement} host @returns {Paint}
 */
export function readPaint(host) {
  const probe = host.appendChild(document.createElement('i'));
  const colour = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  /** @type {Look[]} */
  const looks = [];
  for (let band = 0; band < MAX_BANDS; band++) {
    const text = colour(`band-${band}`);
    looks[band] = createLook(text, FULL);
    looks[band + EXCLUDED] = createLook(text, SPECK, 0.45);
  }
  looks[KIND_HELD] = createLook(colour('seat-held'), RING);
  looks[KIND_GONE] = createLook(colour('seat-gone'), SPECK);
  looks[KIND_MINE] = createLook(colour('seat-mine'), FULL);
  looks[KIND_PICKED] = createLook(colour('seat-picked'), FULL);
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
function createLook(text, shape, alpha = 1) {
  const [red, green, blue] = (text.match(/[\d.]+/g) ?? ['128', '128', '128']).map(Number);
  return { red, green, blue, alpha, shape };
}
