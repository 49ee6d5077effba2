// @ts-check
/** `/me`: tickets, holds that wait for payment, and points. */
import './lib/frame.js';
import { announce, toast } from './lib/announce.js';
import { OnsaleError } from './onsale.js';
import { everySecond, msUntil } from './lib/clock.js';
import { confirm } from './lib/dialog.js';
import { $, $$, setChildren, setText, setVisible } from './lib/dom.js';
import { retry } from './lib/retry.js';
import { canHaveRecoveryCode, showRecoveryCode } from './lib/recovery.js';
import { currentSession, ensureSignedIn, onSessionChange, onsale, signInWithCode, signOut } from './lib/session.js';
import { withIdempotencyKey } from './lib/store.js';
import { countdown, errorText, money, t } from './lib/text.js';
import { loadAccount } from './me/load.js';
import { Purse } from './me/points.js';
import { holds, past, payments, seatOf, tickets } from './me/tickets.js';

/** @typedef {import('./me/load.js').Account} Account */

const purse = new Purse();
/** Counts the loads: an outdated one shows nothing. */
let loading = 0;

async function load() {
  const turn = ++loading;
  const session = currentSession();
  setVisible($('#me-signin'), !session);
  setVisible($('#mine'), session !== null);
  if (!session) return;
  setText($('#name'), session.name);
  setVisible($('#recovery-part'), canHaveRecoveryCode());
  const showTrouble = (/** @type {unknown} */ error) => {
    setVisible($('#me-trouble'), true);
    setText($('#me-trouble'), `${errorText(error)} ${t('me.again')}`);
  };
  try {
    const account = await retry(loadAccount, { onError: showTrouble });
    if (turn !== loading) return;
    setVisible($('#me-trouble'), false);
    draw(account);
  } catch (error) {
    if (turn !== loading) return;
    setVisible($('#me-trouble'), true);
    setText($('#me-trouble'), errorText(error));
    if (OnsaleError.from(error).status === 401) setVisible($('#me-signin'), true);
  }
}

/** @param {Account} account */
function draw(account) {
  const parts = { '#holds': holds(account), '#tickets': tickets(account, refund), '#past': past(account), '#payments': payments(account) };
  for (const [part, shown] of Object.entries(parts)) {
    setVisible($(`${part}-part`), shown.length > 0 || part === '#tickets');
    setChildren($(part), shown);
  }
  setVisible(
    $('#tickets-none'),
    account.reservations.every(({ status }) => status !== 'COMPLETE'),
  );
  purse.show(account.points, account.history);
}

/**
 * Refunds one seat, after a confirmation.
 * @param {Account} account @param {import('./onsale/types.d.ts').Reservation} reservation
 */
async function refund(account, reservation) {
  const payment = account.paymentOf.get(reservation.id);
  if (!payment) return;
  const seat = seatOf(account, reservation);
  const sure = await confirm({
    title: t('me.refund.title'),
    body: [seat, t('me.refund.body', { price: money(payment.amount) })],
    yes: t('me.refund.yes'),
    no: t('me.refund.no'),
    danger: true,
  });
  if (!sure) return;
  try {
    await withIdempotencyKey(`refund.${payment.id}`, (key) => onsale.refund(payment.id, { key }));
    toast(t('me.refunded', { price: money(payment.amount) }));
  } catch (error) {
    toast(OnsaleError.from(error).passing ? `${errorText(error)} ${t('me.refund.unsure')}` : errorText(error), { error: true });
  }
  await load();
  $('h1').focus();
}

function tick() {
  for (const clock of $$('#holds [data-until]')) {
    const left = msUntil(clock.dataset.until ?? '');
    setText(clock, countdown(left));
    if (left <= 0) {
      clock.removeAttribute('data-until');
      load();
    }
  }
}

$('#me-signin-go').addEventListener('click', () => ensureSignedIn());
$('#me-recover').addEventListener('click', () => signInWithCode());
$('#recovery').addEventListener('click', () => showRecoveryCode());
$('#signout').addEventListener('click', async () => {
  const sure = await confirm({ title: t('me.signout.title'), body: t('me.signout.body'), yes: t('common.signout'), danger: true });
  if (!sure) return;
  signOut();
  announce(t('me.signedout'), { now: true });
});
purse.onChanged = load;
onSessionChange(load);
window.addEventListener('pageshow', (event) => event.persisted && load());
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && load());
everySecond(tick);
load();
