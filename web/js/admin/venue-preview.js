// @ts-check
/** The preview of a venue, drawn by the buyers' own map. */
import { el, setChildren, setText, setVisible } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { Choice } from '../seats/choice.js';
import { listenToGestures, step } from '../seats/gestures.js';
import { SeatMap } from '../seats/map.js';
import { bandName } from '../seats/names.js';
import { planVenue } from '../seats/venue.js';
import { MAX_SEATS } from './sections.js';

/** After the last key, the preview waits for this long, in ms. */
const PAUSE_MS = 150;

/** The preview: the buyers' map, a legend of the prices, and whether what it shows is saved. */
export function venuePreview() {
  const host = el('div', { class: 'map', tabindex: 0, role: 'application', 'aria-label': t('admin.venue.preview') });
  const state = el('p', { class: 'preview-state', role: 'status' });
  const legend = el('ul', { class: 'legend' });
  const zoom = (/** @type {boolean} */ closer) =>
    el(
      'button',
      {
        type: 'button',
        'aria-label': t(closer ? 'admin.venue.closer' : 'admin.venue.further'),
        on: { click: () => map && step(map, closer) },
      },
      closer ? '+' : '−',
    );
  const frame = el('div', { class: 'map-frame' }, host, el('div', { class: 'map-tools' }, zoom(true), zoom(false)));
  /** @type {SeatMap | null} */
  let map = null;
  let timer = 0;
  const draw = (/** @type {import('../onsale/types.d.ts').NewSeat[]} */ seats) => {
    setVisible(frame, seats.length > 0);
    if (seats.length === 0) return setChildren(legend);
    const choice = new Choice(planVenue(seats.map((seat, at) => ({ ...seat, id: at + 1 }))));
    setChildren(
      legend,
      choice.venue.bands.map((band) =>
        el('li', null, el('span', { class: `swatch band-${band.index}`, 'aria-hidden': 'true' }), bandName(band)),
      ),
    );
    if (map) return map.show(choice);
    const made = new SeatMap(host, choice);
    map = made;
    listenToGestures(made, {
      tapped: (left, top) => {
        const section = made.sectionAt(left, top);
        if (section) made.flyToSection(section);
      },
      over: () => {},
      entered: () => made.flyToAll(),
      settled: () => {},
    });
  };
  return {
    element: el('div', { class: 'preview' }, state, frame, legend),
    /**
     * Shows seats, unless there are too many.
     * @param {number} count @param {() => import('../onsale/types.d.ts').NewSeat[]} seats @param {boolean} saved
     */
    show: (count, seats, saved) => {
      setText(state, t(saved ? 'admin.venue.saved' : 'admin.venue.unsaved'));
      state.classList.toggle('preview-unsaved', !saved);
      frame.classList.toggle('map-unsaved', !saved);
      clearTimeout(timer);
      timer = window.setTimeout(() => draw(count <= MAX_SEATS ? seats() : []), map ? PAUSE_MS : 0);
    },
    end: () => clearTimeout(timer),
  };
}
