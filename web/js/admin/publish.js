// @ts-check
/** Publishing drafts: what keeps a draft from being published, and the button. */
import { toast } from '../lib/announce.js';
import { confirm, showInfo } from '../lib/dialog.js';
import { el } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { sendTagged } from './api.js';
import { runOnce } from './parts.js';
import { reloadPart } from './reload.js';
import { may } from './role.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** @param {string[]} texts */
const reasons = (texts) =>
  el(
    'ul',
    { class: 'reasons' },
    texts.map((text) => el('li', null, text)),
  );

/** A badge for a draft, or null. @param {{ draft: boolean, removing: boolean }} of */
export function draftBadge({ draft, removing }) {
  if (removing) return el('span', { class: 'badge badge-closed' }, t('admin.removing'));
  return draft ? el('span', { class: 'badge badge-draft' }, t('admin.draft')) : null;
}

/**
 * Publishes a schedule after a look at what would make its sale impossible. Returns whether it did.
 * @param {import('./api.js').Schedule} schedule @param {import('./api.js').Concert} concert @param {string} tag
 */
async function publishSchedule(schedule, concert, tag) {
  const path = `/v1/admin/schedules/${schedule.id}/publish`;
  const wanted = { concert: concert.draft };
  /** @type {import('./api.js').Tagged<Api.Publication>} */
  const { answer } = await sendTagged('POST', path, { ...wanted, dry_run: true }, tag);
  if (answer.obstacles.length > 0) {
    const texts = answer.obstacles.map((code) => t(`admin.obstacle.${code}`));
    await showInfo({ title: t('admin.publish.not'), body: [el('p', null, t('admin.publish.not.body')), reasons(texts)] });
    return false;
  }
  /** @type {(string | Node)[]} */
  const body = [t(concert.draft ? 'admin.publish.both' : 'admin.publish.body')];
  const warnings = answer.warnings.map((code) => t(`admin.warning.${code}`));
  if (warnings.length > 0) body.push(el('p', null, t('admin.publish.warnings')), reasons(warnings));
  const sure = await confirm({ title: t('admin.publish.sure'), body, yes: t('admin.publish.yes') });
  if (!sure) return false;
  await sendTagged('POST', path, wanted, tag);
  return true;
}

/** @param {string} text @param {() => Promise<boolean>} publish */
function strip(text, publish) {
  const button = el('button', { type: 'button', class: 'button small' }, t('admin.publish'));
  button.addEventListener('click', () =>
    runOnce(button, async () => {
      if (!(await publish())) return;
      toast(t('admin.published'));
      reloadPart();
    }),
  );
  return el('p', { class: 'strip strip-draft' }, el('span', null, text), ' ', may('admin') && button);
}

/**
 * A note that a schedule is a draft, with a button; null if everybody sees it.
 * @param {import('./api.js').Tagged<import('./api.js').Schedule>} schedule @param {import('./api.js').Concert} concert
 */
export function scheduleStrip({ answer: schedule, tag }, concert) {
  if (schedule.removing) return el('p', { class: 'strip strip-warn' }, t('admin.removing.body'));
  if (schedule.draft) return strip(t('admin.draft.schedule'), () => publishSchedule(schedule, concert, tag));
  return concert.draft ? el('p', { class: 'strip strip-warn' }, t('admin.draft.hidden')) : null;
}

/**
 * A note that a concert is a draft, with a button; null if everybody sees it.
 * @param {import('./api.js').Tagged<import('./api.js').Concert>} concert
 */
export function concertStrip({ answer: concert, tag }) {
  if (concert.removing) return el('p', { class: 'strip strip-warn' }, t('admin.removing.body'));
  if (!concert.draft) return null;
  const publish = async () => {
    const sure = await confirm({ title: t('admin.publish.sure'), body: t('admin.publish.concert'), yes: t('admin.publish.yes') });
    if (sure) await sendTagged('POST', `/v1/admin/concerts/${concert.id}/publish`, undefined, tag);
    return sure;
  };
  return strip(t('admin.draft.concert'), publish);
}
