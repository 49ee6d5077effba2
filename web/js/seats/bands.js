// @ts-check
/** The prices, which of them are shown, and what the map's shapes mean. */
import { $, el, fill, say } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { bandName, count } from './say.js';

/** Counts are told at most this often, in ms. */
const PAUSE_MS = 250;

/** @param {import('./choice.js').Choice} choice */
export function bands(choice) {
  const counts = choice.venue.bands.map(() => el('span', { class: 'band-free' }));
  const rows = choice.venue.bands.map((band, index) => {
    const box = el('input', {
      type: 'checkbox',
      checked: true,
      on: { change: () => choice.hide(index, !box.checked) },
    });
    const swatch = el('span', { class: `swatch band-${index}`, 'aria-hidden': 'true' });
    return el('label', { class: 'band' }, box, swatch, el('span', { class: 'band-price' }, bandName(band)), counts[index]);
  });
  fill($('#bands'), rows);
  let timer = 0;
  const tell = () => {
    timer = 0;
    counts.forEach((element, band) => say(element, t('seats.band.free', { n: choice.states.inBand[band] })));
    say($('#free'), count(choice.states.free));
  };
  choice.on('seats', () => (timer ||= window.setTimeout(tell, PAUSE_MS)));
  tell();
}
