// @ts-check
/** Removing a test event: what it deletes, and a question that cannot be answered by accident. */
import { toast } from '../lib/announce.js';
import { ask } from '../lib/dialog.js';
import { el } from '../lib/dom.js';
import { number, t } from '../lib/text.js';
import { sendTagged } from './api.js';
import { card, runOnce } from './parts.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** The rows that a removal deletes, in the order of the list. */
const COUNTS = /** @type {const} */ (['schedules', 'seats', 'reservations', 'payments', 'entries']);

/** @param {Api.Removal} removal */
const countsList = (removal) =>
  el(
    'dl',
    { class: 'changes' },
    COUNTS.flatMap((name) => [el('dt', null, t(`admin.remove.count.${name}`)), el('dd', null, number(removal[name]))]),
  );

/**
 * A card that removes a concert or a schedule.
 * @param {'concerts' | 'schedules'} kind @param {number} id
 * @param {string} title of the concert, which the operator types
 * @param {string} tag @param {() => void} done
 */
export function removalCard(kind, id, title, tag, done) {
  const path = `/v1/admin/${kind}/${id}`;
  const button = el('button', { type: 'button', class: 'button danger' }, t(`admin.remove.${kind}.go`));
  button.addEventListener('click', () =>
    runOnce(button, async () => {
      /** @type {import('./api.js').Tagged<Api.Removal>} */
      const { answer } = await sendTagged('DELETE', `${path}?dry_run=true`, undefined, tag);
      const typed = await ask({
        title: t(`admin.remove.${kind}.sure`),
        body: [countsList(answer), t('admin.remove.body')],
        label: t('admin.remove.type', { title }),
        yes: t('admin.remove.yes'),
        danger: true,
        max: 200,
      });
      if (typeof typed !== 'string') return;
      if (typed !== title.trim()) return toast(t('admin.remove.differs'), { error: true });
      await sendTagged('DELETE', path, undefined, tag);
      toast(t('admin.remove.done'));
      done();
    }),
  );
  return card(t(`admin.remove.${kind}`), el('p', { class: 'hint' }, t('admin.remove.hint')), el('p', null, button));
}
