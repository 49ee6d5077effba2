// @ts-check
/** `/me`: tickets, what still waits for payment, and points. */
import './lib/frame.js';
import { announce, toast } from './lib/announce.js';
import { everySecond, until } from './lib/clock.js';
import { confirm } from './lib/dialog.js';
import { $, $$, fill, say, show } from './lib/dom.js';
import { patiently } from './lib/patience.js';
import { canHaveCode, showCode } from './lib/recovery.js';
import { current, ensure, onSession, onsale, recover, signOut } from './lib/session.js';
import { once } from './lib/store.js';
import { countdown, errorText, money, t } from './lib/text.js';
import { lookUp } from './me/load.js';
import { Purse } from './me/points.js';
import { holds, past, payments, seatOf, tickets } from './me/tickets.js';

/** @typedef {import('./me/load.js').Mine} Mine */

const purse = new Purse();
let loading = 0;

async function load() {
  const turn = ++loading;
  const session = current();
  show($('#me-signin'), !session);
  show($('#mine'), session !== null);
  if (!session) return;
  say($('#name'), session.name);
  show($('#recovery-part'), canHaveCode());
  const trouble = (/** @type {any} */ error) => {
    show($('#me-trouble'), true);
    say($('#me-trouble'), `${errorText(error)} ${t('me.again')}`);
  };
  try {
    const mine = await patiently(lookUp, trouble);
    if (turn !== loading) return;
    show($('#me-trouble'), false);
    draw(mine);
  } catch (error) {
    if (turn !== loading) return;
    show($('#me-trouble'), true);
    say($('#me-trouble'), errorText(error));
    if (error.status === 401) show($('#me-signin'), true);
  }
}

/** @param {Mine} mine */
function draw(mine) {
  const parts = { '#holds': holds(mine), '#tickets': tickets(mine, refund), '#past': past(mine), '#payments': payments(mine) };
  for (const [part, shown] of Object.entries(parts)) {
    show($(`${part}-part`), shown.length > 0 || part === '#tickets');
    fill($(part), shown);
  }
  show($('#tickets-none'), mine.reservations.every(({ status }) => status !== 'COMPLETE'));
  purse.show(mine.points, mine.history);
}

/**
 * Gives one seat back, once, after a question.
 * @param {Mine} mine @param {any} reservation
 */
async function refund(mine, reservation) {
  const payment = mine.paymentOf.get(reservation.id);
  if (!payment) return;
  const seat = seatOf(mine, reservation);
  const sure = await confirm({
    title: t('me.refund.title'),
    body: [seat, t('me.refund.body', { price: money(payment.amount) })],
    yes: t('me.refund.yes'),
    no: t('me.refund.no'),
    danger: true,
  });
  if (!sure) return;
  try {
    await once(`refund.${payment.id}`, (key) => onsale.refund(payment.id, { key }));
    toast(t('me.refunded', { price: money(payment.amount) }));
  } catch (error) {
    toast(error.passing ? `${errorText(error)} ${t('me.refund.unsure')}` : errorText(error), { error: true });
  }
  await load();
  $('h1').focus();
}

function tick() {
  for (const clock of $$('#holds [data-until]')) {
    const left = until(clock.dataset.until ?? '');
    say(clock, countdown(left));
    if (left <= 0) {
      clock.removeAttribute('data-until');
      load();
    }
  }
}

$('#me-signin-go').addEventListener('click', () => ensure());
$('#me-recover').addEventListener('click', () => recover());
$('#recovery').addEventListener('click', () => showCode());
$('#signout').addEventListener('click', async () => {
  const sure = await confirm({ title: t('me.signout.title'), body: t('me.signout.body'), yes: t('common.signout'), danger: true });
  if (!sure) return;
  signOut();
  announce(t('me.signedout'), { now: true });
});
purse.onChanged = load;
onSession(load);
window.addEventListener('pageshow', (event) => event.persisted && load());
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && load());
everySecond(tick);
load();
