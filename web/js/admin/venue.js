// @ts-check
/** The seats of a schedule: sections with rows and prices, and a drawing of what that comes to. */
import { announce, toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, fill, say } from '../lib/dom.js';
import { money, number, t } from '../lib/text.js';
import { card, form, table } from './parts.js';
import { band, draw, pricesOf } from './plan.js';
import { get, post } from './service.js';

/** @typedef {import('./plan.js').Section} Section */

/** What a call and a schedule take. */
const MOST_PER_CALL = 100_000;
const MOST = 200_000;
const USUAL = { name: '', rows: 10, seats_per_row: 20, seat_price: 100_000 };

/** The sections of a layout, each as its rows: those that are there already. @param {any[]} seats @returns {Section[]} */
export function sectionsOf(seats) {
  /** @type {Map<string, { name: string, seat_price: number, rows: Map<string, number> }>} */
  const found = new Map();
  for (const { section, row, seat_price } of seats) {
    const key = `${section}\n${seat_price}`;
    let of = found.get(key);
    if (!of) found.set(key, (of = { name: section, seat_price, rows: new Map() }));
    of.rows.set(row, (of.rows.get(row) ?? 0) + 1);
  }
  return [...found.values()].map(({ name, seat_price, rows }) => ({
    name, seat_price, rows: rows.size, seats_per_row: Math.max(...rows.values()),
  }));
}

/** One section that is being made. @param {Section} values @param {() => void} changed @param {(what: 'up' | 'remove') => void} act */
function line(values, changed, act) {
  const input = (/** @type {keyof Section} */ name, /** @type {Record<string, any>} */ more) =>
    el('input', { ...more, required: true, value: values[name], 'aria-label': t(`admin.venue.${name}`), on: { input: changed } });
  const whole = { type: 'number', step: 1, inputmode: 'numeric' };
  const inputs = {
    name: input('name', { type: 'text', maxlength: 50, dir: 'auto', placeholder: t('admin.venue.name.example') }),
    rows: input('rows', { ...whole, min: 1, max: MOST_PER_CALL }),
    seats_per_row: input('seats_per_row', { ...whole, min: 1, max: MOST_PER_CALL }),
    seat_price: input('seat_price', { ...whole, min: 0, max: 1_000_000_000 }),
  };
  const button = (/** @type {'up' | 'remove'} */ what, /** @type {string} */ sign) =>
    el('button', { type: 'button', class: 'button quiet small', 'aria-label': t(`admin.venue.${what}`), title: t(`admin.venue.${what}`), on: { click: () => act(what) } }, sign);
  const cells = Object.entries(inputs).map(([name, one]) => el('div', { class: `cell cell-${name}` }, el('span', { class: 'cell-label', 'aria-hidden': 'true' }, t(`admin.venue.${name}`)), one));
  return {
    element: el('li', { class: 'section-line' }, cells, el('div', { class: 'cell-buttons' }, button('up', '↑'), button('remove', '×'))),
    focus: () => inputs.name.focus(),
    /** @returns {Section} */
    value: () => ({ name: inputs.name.value, rows: Number(inputs.rows.value), seats_per_row: Number(inputs.seats_per_row.value), seat_price: Number(inputs.seat_price.value) }),
  };
}

/** How many seats, and what they come to. @param {Section[]} sections */
const sum = (sections) => ({
  seats: sections.reduce((all, { rows, seats_per_row }) => all + rows * seats_per_row, 0),
  worth: sections.reduce((all, { rows, seats_per_row, seat_price }) => all + rows * seats_per_row * seat_price, 0),
});

/** The drawing, with what its colours mean. */
export function preview() {
  const canvas = el('canvas', { class: 'plan', 'aria-hidden': 'true' });
  const legend = el('ul', { class: 'legend' });
  /** @type {Section[]} */
  let shown = [];
  const redraw = () => draw(canvas, shown, t('admin.venue.stage'));
  const watch = new ResizeObserver(redraw);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  watch.observe(canvas);
  dark.addEventListener('change', redraw);
  return {
    element: el('div', { class: 'preview' }, canvas, legend),
    /** @param {Section[]} sections */
    show: (sections) => {
      shown = sections.filter(({ rows, seats_per_row }) => rows > 0 && seats_per_row > 0 && rows * seats_per_row <= MOST_PER_CALL);
      const prices = pricesOf(shown);
      fill(legend, prices.slice(0, 12).map((price) => el('li', null, el('span', { class: `adm-swatch adm-swatch-${band(price, prices) + 1}` }), money(price))));
      redraw();
    },
    end: () => {
      watch.disconnect();
      dark.removeEventListener('change', redraw);
    },
  };
}

/** The lines of sections that are being made. @param {(sections: Section[]) => void} changed */
function editor(changed) {
  const list = el('ol', { class: 'section-lines' });
  /** @type {ReturnType<typeof line>[]} */
  let lines = [];
  const values = () => lines.map((one) => one.value());
  const show = () => {
    fill(list, lines.map(({ element }) => element));
    changed(values());
  };
  const add = (/** @type {Section} */ section) => {
    const made = line(section, () => changed(values()), (what) => {
      const at = lines.indexOf(made);
      if (what === 'remove') lines = lines.filter((one) => one !== made);
      else if (at > 0) [lines[at - 1], lines[at]] = [lines[at], lines[at - 1]];
      show();
      if (what === 'up') made.focus();
    });
    lines.push(made);
    show();
    return made;
  };
  return { list, values, add };
}

/** The sections that there are, as a table. @param {Section[]} there */
function thereTable(there) {
  return table(
    t('admin.venue.there'),
    [{ text: t('admin.venue.name') }, { text: t('admin.venue.rows'), number: true }, { text: t('admin.venue.seats_per_row'), number: true }, { text: t('admin.venue.seat_price'), number: true }],
    there.map(({ name, rows, seats_per_row, seat_price }) => [name, number(rows), number(seats_per_row), money(seat_price)]),
  );
}

/** @type {import('./schedule.js').Tab} */
export async function venuePart(place, { schedule, concert }) {
  const layout = await get(`/v1/schedules/${schedule.id}/seats/layout`);
  const there = sectionsOf(layout.seats);
  const drawing = preview();
  const total = el('p', { class: 'total', role: 'status' });
  const lines = editor((sections) => {
    const { seats, worth } = sum(sections);
    say(total, t('admin.venue.total', { seats: number(seats), worth: money(worth) }));
    drawing.show([...there, ...sections]);
  });
  const act = async () => {
    const sections = lines.values();
    const { seats, worth } = sum(sections);
    if (sections.length === 0) return toast(t('admin.venue.none'), { error: true });
    if (seats > MOST_PER_CALL || seats + layout.seats.length > MOST) return toast(t('admin.venue.toomany', { call: number(MOST_PER_CALL), all: number(MOST) }), { error: true });
    const sure = await confirm({ title: t('admin.venue.sure', { n: seats }), body: [t('admin.venue.total', { seats: number(seats), worth: money(worth) }), t('admin.venue.sure.body')], yes: t('admin.venue.add.yes') });
    if (!sure) return;
    await post(`/v1/admin/schedules/${schedule.id}/seats`, { sections });
    announce(t('admin.saved'), { now: true });
    drawing.end();
    location.hash = `#/schedules/${schedule.id}`;
  };
  const more = el('button', { type: 'button', class: 'button quiet', on: { click: () => lines.add({ ...USUAL }).focus() } }, t('admin.venue.more'));
  const empty = there.length === 0;
  fill(
    place,
    el(
      'div',
      { class: 'venue' },
      el(
        'div',
        null,
        !empty && card(t('admin.venue.there'), thereTable(there)),
        card(t(empty ? 'admin.venue.make' : 'admin.venue.add'), el('p', { class: 'hint' }, t('admin.venue.hint')), form(t('admin.venue.add.yes'), act, lines.list, more, total)),
      ),
      card(t('admin.venue.preview'), el('p', { class: 'hint', dir: 'auto' }, concert?.title ?? ''), drawing.element),
    ),
  );
  // Drawn once it has its width.
  if (empty) lines.add({ ...USUAL, name: t('admin.venue.name.first') });
  else lines.add({ ...USUAL });
  return drawing.end;
}
