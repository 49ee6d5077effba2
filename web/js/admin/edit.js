// @ts-check
/**
 * Changes of a state that two operators may edit at once. A change applies only to the state that it is
 * based on. If another change came first, it is shown field by field before it is overwritten.
 */
import { toast } from '../lib/announce.js';
import { OTHER, choose } from '../lib/dialog.js';
import { el } from '../lib/dom.js';
import { money, number, t } from '../lib/text.js';
import { OnsaleError } from '../onsale.js';
import { sendTagged } from './api.js';
import { compareStates } from './compare.js';
import { table } from './parts.js';

/** The answer if the operator takes the other change: the caller shows the current state. */
export const THEIRS = Symbol('theirs');

/** @typedef {import('./compare.js').State} State */

/**
 * @typedef {object} Edit
 * @property {string} [method] PATCH by default
 * @property {string} path
 * @property {unknown} [body]
 * @property {string} tag of the state that the change is based on
 * @property {State} before that state
 * @property {State | null} mine the changed fields; null if the change replaces everything
 * @property {string[]} names the fields to compare
 * @property {(name: string) => string} label
 * @property {(name: string, value: any) => string} text
 */

/** How two changes of a schedule's seats are compared: by their figures. */
export const SEATS_EDIT = {
  names: ['total', 'blocked', 'layout_version', 'sections'],
  label: (/** @type {string} */ name) => t(`admin.conflict.seats.${name}`),
  text: (/** @type {string} */ name, /** @type {any} */ value) =>
    value === undefined ? '–' : name === 'sections' ? sectionsText(value) : number(Number(value)),
};

/** @param {{ name: string, seats: number, seat_price: number }[]} sections */
const sectionsText = (sections) =>
  sections
    .slice(0, 5)
    .map(({ name, seats, seat_price }) => `${name}: ${number(seats)} × ${money(seat_price)}`)
    .concat(sections.length > 5 ? [t('admin.audit.more', { n: sections.length - 5 })] : [])
    .join('; ');

/** @param {Edit} edit @param {State} current @param {string[]} changed */
function differences({ before, mine, label, text }, current, changed) {
  const heads = ['field', 'before', 'theirs', 'mine'].map((name) => ({ text: t(`admin.conflict.${name}`) }));
  const shown = (/** @type {State} */ state, /** @type {string} */ name) => text(name, state[name]);
  const rows = changed.map((name) => [
    label(name),
    shown(before, name),
    shown(current, name),
    mine === null ? t('admin.conflict.all') : name in mine ? shown(mine, name) : '–',
  ]);
  return table(t('admin.conflict.title'), heads, rows);
}

/**
 * Sends a change. Returns the answer with the new tag, `THEIRS`, or null if the operator cancelled.
 * @template Answer
 * @param {Edit} edit
 * @returns {Promise<import('./api.js').Tagged<Answer> | typeof THEIRS | null>}
 */
export async function sendEdit(edit) {
  let { tag, before } = edit;
  /** The other change that applies too; said once this one is saved. */
  let both = '';
  for (;;) {
    try {
      /** @type {import('./api.js').Tagged<Answer>} */
      const done = await sendTagged(edit.method ?? 'PATCH', edit.path, edit.body, tag);
      if (both) toast(both);
      return done;
    } catch (error) {
      const { code, current, etag } = OnsaleError.from(error);
      if (code !== 'changed_meanwhile' || !current || !etag) throw error;
      const { changed, lost } = compareStates({ ...edit, before }, current);
      if (lost.length === 0) {
        // The other change is about other fields: both apply.
        if (changed.length > 0) both = t('admin.conflict.both', { fields: changed.map(edit.label).join(', ') });
      } else {
        const answer = await choose({
          title: t('admin.conflict.title'),
          body: [el('p', null, t('admin.conflict.body')), differences({ ...edit, before }, current, changed)],
          yes: t('admin.conflict.keep'),
          other: t('admin.conflict.take'),
          danger: true,
        });
        if (answer === OTHER) return THEIRS;
        if (answer === null) return null;
      }
      [tag, before] = [etag, current];
    }
  }
}
