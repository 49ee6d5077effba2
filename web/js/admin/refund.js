// @ts-check
/** The refund of a whole date: first what it would do, then the order. */
import { toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren } from '../lib/dom.js';
import { withIdempotencyKey } from '../lib/store.js';
import { money, number, t } from '../lib/text.js';
import { call, get } from './api.js';
import { card, field, figure, form, runOnce } from './parts.js';
import { may } from './role.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** @param {Api.RefundPreview} preview */
const figures = (preview) =>
  el(
    'dl',
    { class: 'figures' },
    figure(t('admin.refund.seats'), number(preview.seats)),
    figure(t('admin.refund.buyers'), number(preview.buyers)),
    figure(t('admin.refund.amount'), money(preview.amount)),
    figure(t('admin.refund.held'), number(preview.held_seats)),
    figure(t('admin.refund.refunded'), number(preview.refunded_seats)),
  );

/** The form of the order. @param {Api.RefundPreview} preview */
function order(preview) {
  const seats = el(
    'select',
    null,
    ['BLOCK', 'FREE'].map((value) => el('option', { value }, t(`admin.refund.${value}`))),
  );
  const reason = el('textarea', { rows: 2, maxlength: 500, required: true });
  const act = async () => {
    const sure = await confirm({
      title: t('admin.refund.sure', { n: preview.seats }),
      body: t('admin.refund.sure.body', { amount: money(preview.amount), buyers: preview.buyers }),
      yes: t('admin.refund.yes'),
      danger: true,
    });
    if (!sure) return;
    const path = `/v1/admin/schedules/${preview.schedule_id}/refund`;
    const body = { seats: seats.value, reason: reason.value.trim() };
    await withIdempotencyKey(`refund.${preview.schedule_id}.${JSON.stringify(body)}`, (key) => call('POST', path, { body, key }));
    toast(t('admin.refund.begun'));
    location.hash = '#/jobs';
  };
  return form(
    t('admin.refund.go'),
    act,
    el(
      'div',
      { class: 'fields' },
      field(t('admin.refund.after'), seats),
      field(t('admin.reason'), reason, { hint: t('admin.reason.hint') }),
    ),
  );
}

/** The card of a schedule, which asks nothing until its button is pressed. @param {Api.Schedule} schedule */
export function refundCard(schedule) {
  const look = el('button', { type: 'button', class: 'button quiet' }, t('admin.refund.look'));
  const result = el('div', { class: 'refund', 'aria-live': 'polite' });
  look.addEventListener('click', () =>
    runOnce(look, async () => {
      /** @type {Api.RefundPreview} */
      const preview = await get(`/v1/admin/schedules/${schedule.id}/refund`);
      const running = preview.job_id !== null;
      setChildren(
        result,
        figures(preview),
        el(
          'p',
          { class: preview.selling ? 'strip strip-warn' : 'hint' },
          t(preview.selling ? 'admin.refund.selling' : 'admin.refund.closed'),
        ),
        running && el('p', { class: 'strip strip-warn' }, t('admin.refund.running'), ' ', el('a', { href: '#/jobs' }, t('admin.nav.jobs'))),
        !running && preview.seats === 0 && el('p', { class: 'muted' }, t('admin.refund.nothing')),
        !running && preview.seats > 0 && may('operator') && order(preview),
      );
    }),
  );
  return card(t('admin.refund.title'), el('p', { class: 'hint' }, t('admin.refund.lead')), el('div', { class: 'actions' }, look), result);
}
