// @ts-check
/** The price filter, with the seats left at each price. */
import { $, el, setChildren, setText } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { bandName, formatCount } from './names.js';

/** The counts are updated at most this often, in ms. */
const PAUSE_MS = 250;

/** @param {import('./choice.js').Choice} choice */
export function showBands(choice) {
  const counts = choice.venue.bands.map(() => el('span', { class: 'band-free' }));
  const rows = choice.venue.bands.map((band, index) => {
    /** @type {HTMLInputElement} */
    const box = el('input', {
      type: 'checkbox',
      checked: true,
      on: { change: () => choice.setBandHidden(index, !box.checked) },
    });
    const swatch = el('span', { class: `swatch band-${index}`, 'aria-hidden': 'true' });
    return el('label', { class: 'band' }, box, swatch, el('span', { class: 'band-price' }, bandName(band)), counts[index]);
  });
  setChildren($('#bands'), rows);
  let timer = 0;
  const showCounts = () => {
    timer = 0;
    counts.forEach((element, band) => setText(element, t('seats.band.free', { n: choice.states.freeInBand[band] })));
    setText($('#free'), formatCount(choice.states.free));
  };
  choice.on('seats', () => (timer ||= window.setTimeout(showCounts, PAUSE_MS)));
  showCounts();
}
