// @ts-check
/** Adding seats to a schedule: sections with rows and prices, and a preview of the venue. */
import { announce, toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren, setText } from '../lib/dom.js';
import { money, number, t } from '../lib/text.js';
import { card, form, table } from './parts.js';
import { bandOf, drawPlan, pricesOf } from './plan.js';
import { get, post } from './api.js';

/** @import * as Api from '../onsale/types.d.ts' */
/** @typedef {import('./plan.js').Section} Section */

/** Maximum number of seats per call and per schedule. */
const MAX_PER_CALL = 100_000;
const MAX_SEATS = 200_000;
const DEFAULTS = { name: '', rows: 10, seats_per_row: 20, seat_price: 100_000 };

/** The existing sections of a layout. @param {Api.Seat[]} seats @returns {Section[]} */
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
    name,
    seat_price,
    rows: rows.size,
    seats_per_row: Math.max(...rows.values()),
  }));
}

/** The fields of a new section. @param {Section} values @param {() => void} changed @param {(what: 'up' | 'remove') => void} act */
function sectionFields(values, changed, act) {
  const input = (/** @type {keyof Section} */ name, /** @type {import('../lib/dom.js').Props} */ more) =>
    el('input', { ...more, required: true, value: values[name], 'aria-label': t(`admin.venue.${name}`), on: { input: changed } });
  const whole = { type: 'number', step: 1, inputmode: 'numeric' };
  const inputs = {
    name: input('name', { type: 'text', maxlength: 50, dir: 'auto', placeholder: t('admin.venue.name.example') }),
    rows: input('rows', { ...whole, min: 1, max: MAX_PER_CALL }),
    seats_per_row: input('seats_per_row', { ...whole, min: 1, max: MAX_PER_CALL }),
    seat_price: input('seat_price', { ...whole, min: 0, max: 1_000_000_000 }),
  };
  const button = (/** @type {'up' | 'remove'} */ what, /** @type {string} */ sign) =>
    el(
      'button',
      {
        type: 'button',
        class: 'button quiet small',
        'aria-label': t(`admin.venue.${what}`),
        title: t(`admin.venue.${what}`),
        on: { click: () => act(what) },
      },
      sign,
    );
  const cells = Object.entries(inputs).map(([name, one]) =>
    el('div', { class: `cell cell-${name}` }, el('span', { class: 'cell-label', 'aria-hidden': 'true' }, t(`admin.venue.${name}`)), one),
  );
  return {
    element: el('li', { class: 'section-line' }, cells, el('div', { class: 'cell-buttons' }, button('up', '↑'), button('remove', '×'))),
    focus: () => inputs.name.focus(),
    /** @returns {Section} */
    value: () => ({
      name: inputs.name.value,
      rows: Number(inputs.rows.value),
      seats_per_row: Number(inputs.seats_per_row.value),
      seat_price: Number(inputs.seat_price.value),
    }),
  };
}

/** The number of seats and their total price. @param {Section[]} sections */
const sumUp = (sections) => ({
  seats: sections.reduce((all, { rows, seats_per_row }) => all + rows * seats_per_row, 0),
  worth: sections.reduce((all, { rows, seats_per_row, seat_price }) => all + rows * seats_per_row * seat_price, 0),
});

/** The preview of the venue, with a legend of its colours. */
export function preview() {
  const canvas = el('canvas', { class: 'plan', 'aria-hidden': 'true' });
  const legend = el('ul', { class: 'legend' });
  /** @type {Section[]} */
  let shown = [];
  const redraw = () => drawPlan(canvas, shown, t('admin.venue.stage'));
  const watch = new ResizeObserver(redraw);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  watch.observe(canvas);
  dark.addEventListener('change', redraw);
  return {
    element: el('div', { class: 'preview' }, canvas, legend),
    /** @param {Section[]} sections */
    show: (sections) => {
      shown = sections.filter(({ rows, seats_per_row }) => rows > 0 && seats_per_row > 0 && rows * seats_per_row <= MAX_PER_CALL);
      const prices = pricesOf(shown);
      setChildren(
        legend,
        prices
          .slice(0, 12)
          .map((price) => el('li', null, el('span', { class: `adm-swatch adm-swatch-${bandOf(price, prices) + 1}` }), money(price))),
      );
      redraw();
    },
    end: () => {
      watch.disconnect();
      dark.removeEventListener('change', redraw);
    },
  };
}

/** The list of new sections. @param {(sections: Section[]) => void} changed */
function editor(changed) {
  const list = el('ol', { class: 'section-lines' });
  /** @type {ReturnType<typeof sectionFields>[]} */
  let lines = [];
  const values = () => lines.map((one) => one.value());
  const show = () => {
    setChildren(
      list,
      lines.map(({ element }) => element),
    );
    changed(values());
  };
  const add = (/** @type {Section} */ section) => {
    const made = sectionFields(
      section,
      () => changed(values()),
      (what) => {
        const at = lines.indexOf(made);
        if (what === 'remove') lines = lines.filter((one) => one !== made);
        else if (at > 0) [lines[at - 1], lines[at]] = [lines[at], lines[at - 1]];
        show();
        if (what === 'up') made.focus();
      },
    );
    lines.push(made);
    show();
    return made;
  };
  return { list, values, add };
}

/** The existing sections as a table. @param {Section[]} sections */
function currentTable(sections) {
  return table(
    t('admin.venue.there'),
    [
      { text: t('admin.venue.name') },
      { text: t('admin.venue.rows'), number: true },
      { text: t('admin.venue.seats_per_row'), number: true },
      { text: t('admin.venue.seat_price'), number: true },
    ],
    sections.map(({ name, rows, seats_per_row, seat_price }) => [name, number(rows), number(seats_per_row), money(seat_price)]),
  );
}

/** @type {import('./schedule.js').Tab} */
export async function venuePart(place, { schedule, concert }) {
  /** @type {Api.Layout} */
  const layout = await get(`/v1/schedules/${schedule.id}/seats/layout`);
  const existing = sectionsOf(layout.seats);
  const drawing = preview();
  const total = el('p', { class: 'total', role: 'status' });
  const lines = editor((sections) => {
    const { seats, worth } = sumUp(sections);
    setText(total, t('admin.venue.total', { seats: number(seats), worth: money(worth) }));
    drawing.show([...existing, ...sections]);
  });
  const act = async () => {
    const sections = lines.values();
    const { seats, worth } = sumUp(sections);
    if (sections.length === 0) return toast(t('admin.venue.none'), { error: true });
    if (seats > MAX_PER_CALL || seats + layout.seats.length > MAX_SEATS)
      return toast(t('admin.venue.toomany', { call: number(MAX_PER_CALL), all: number(MAX_SEATS) }), { error: true });
    const sure = await confirm({
      title: t('admin.venue.sure', { n: seats }),
      body: [t('admin.venue.total', { seats: number(seats), worth: money(worth) }), t('admin.venue.sure.body')],
      yes: t('admin.venue.add.yes'),
    });
    if (!sure) return;
    await post(`/v1/admin/schedules/${schedule.id}/seats`, { sections });
    announce(t('admin.saved'), { now: true });
    drawing.end();
    location.hash = `#/schedules/${schedule.id}`;
  };
  const more = el(
    'button',
    { type: 'button', class: 'button quiet', on: { click: () => lines.add({ ...DEFAULTS }).focus() } },
    t('admin.venue.more'),
  );
  const empty = existing.length === 0;
  setChildren(
    place,
    el(
      'div',
      { class: 'venue' },
      el(
        'div',
        null,
        !empty && card(t('admin.venue.there'), currentTable(existing)),
        card(
          t(empty ? 'admin.venue.make' : 'admin.venue.add'),
          el('p', { class: 'hint' }, t('admin.venue.hint')),
          form(t('admin.venue.add.yes'), act, lines.list, more, total),
        ),
      ),
      card(t('admin.venue.preview'), el('p', { class: 'hint', dir: 'auto' }, concert?.title ?? ''), drawing.element),
    ),
  );
  // After the page has its width, since the preview depends on it.
  if (empty) lines.add({ ...DEFAULTS, name: t('admin.venue.name.first') });
  else lines.add({ ...DEFAULTS });
  return drawing.end;
}
