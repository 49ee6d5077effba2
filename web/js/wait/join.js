// @ts-check
/** Joining the line: before it opens, when it opens, and what to show when joining is impossible. */
import { announce } from '../lib/announce.js';
import { msUntil } from '../lib/clock.js';
import { page } from '../lib/page.js';
import { retry } from '../lib/retry.js';
import { currentSession, onsale, signUp } from '../lib/session.js';
import { canStore, tabStore } from '../lib/store.js';
import { countdown, errorText, number, t, time } from '../lib/text.js';
import { OnsaleError, pause } from '../onsale/call.js';
import { fillSlots, showIf, showText } from './slots.js';

/** @import * as Api from '../onsale/types.d.ts' */
/** @typedef {Api.Schedule} Schedule */

/**
 * @param {object} how
 * @param {number} how.id the schedule's id
 * @param {() => Schedule | null} how.schedule the latest known schedule, or null
 * @param {(schedule: Schedule) => void} how.setSchedule
 * @param {(state: import('./slots.js').State) => void} how.goTo
 * @param {(ticket: Api.JoinedTicket) => void} how.onJoined
 */
export function createJoiner({ id, schedule, setSchedule, goTo, onJoined }) {
  let joining = false;
  let submitting = false;
  /** @type {ReturnType<typeof findObstacle>} */
  let shownObstacle = null;

  /** @param {string | null} text */
  const showProblem = (text) => showText('join-problem', text);

  const showUser = () => {
    const session = currentSession();
    showIf('name', session === null && page.signup);
    showIf('elsewhere', session === null && page.sign_in === true);
    showIf('known', session !== null);
    if (session) fillSlots('as', t('wait.join.as', { name: session.name }));
  };

  /** @param {string} title @param {string} text @param {boolean} joinable */
  const offerJoin = (title, text, joinable) => {
    goTo('join');
    fillSlots('join-title', title);
    fillSlots('join-text', text);
    showIf('joinable', joinable);
    showUser();
  };

  /** Why nobody can join now, or null. @returns {'early' | 'CLOSED' | 'SOLD_OUT' | null} */
  const findObstacle = () => {
    const sale = schedule();
    if (!sale) return null;
    if (msUntil(sale.deadline_at) <= 0) return 'CLOSED';
    if (msUntil(sale.queue_opens_at) > 0) return 'early';
    return sale.phase === 'SOLD_OUT' ? 'SOLD_OUT' : null;
  };

  /** Shows the page to a reader who has no place in line. */
  const showWithoutPlace = () => {
    const endedAs = tabStore.get(`onsale.ended.${id}`);
    const obstacle = findObstacle();
    shownObstacle = obstacle;
    if (obstacle === 'early') {
      goTo('early');
      showUser();
      return tick();
    }
    if (obstacle === 'CLOSED') return offerJoin(t('wait.closed'), t('wait.closed.text'), false);
    if (obstacle === 'SOLD_OUT') return offerJoin(t('wait.soldout'), t('wait.soldout.text'), false);
    // Without storage the place would be lost on the way to the seats.
    if (!canStore) return offerJoin(t('wait.unkept'), t('common.unkept'), false);
    if (endedAs) return offerJoin(t(`wait.ended.${endedAs}`), t('wait.join.anew'), true);
    if (!currentSession() && !page.signup)
      return offerJoin(t('common.signin'), t(page.sign_in ? 'wait.join.elsewhere' : 'common.signin.closed'), false);
    return offerJoin(t('wait.join.title'), t('wait.join.text'), true);
  };

  /** Joins, and tries again until it succeeds or is refused for good. */
  const joinNow = async () => {
    if (joining) return;
    joining = true;
    showProblem(null);
    goTo('loading');
    let opening = false;
    try {
      const ticket = await retry(() => onsale.join(id), {
        isTemporary: (error) => {
          opening = isOpening(error);
          return error.passing || opening;
        },
        // While the line is just opening there is nothing to report: the next try joins it.
        onError: (error) => opening || showText('trouble', errorText(error)),
      });
      tabStore.remove(`onsale.ended.${id}`);
      joining = false;
      showText('trouble', null);
      onJoined(ticket);
    } catch (error) {
      joining = false;
      showText('trouble', null);
      showRefusal(OnsaleError.from(error));
    }
  };

  /** Whether the line was not open only because this page's clock is a moment ahead of the server's. @param {OnsaleError} error */
  const isOpening = (error) => {
    if (error.code !== 'queue_not_open') return false;
    const sale = schedule();
    if (error.opens_at && sale) setSchedule({ ...sale, queue_opens_at: error.opens_at });
    return findObstacle() !== 'early';
  };

  /** @param {OnsaleError} error */
  const showRefusal = (error) => {
    const sale = schedule();
    if (error.code === 'sold_out' && sale) setSchedule({ ...sale, phase: 'SOLD_OUT' });
    showWithoutPlace();
    if (!['queue_not_open', 'sold_out', 'schedule_closed'].includes(error.code)) showProblem(errorText(error));
  };

  /** Joins at the reader's request; signs them up first if they gave a name. @param {string | null} name */
  const joinAs = async (name) => {
    if (submitting) return undefined;
    submitting = true;
    try {
      if (!canStore) return showProblem(t('common.unkept'));
      if (!currentSession()) {
        if (name === null) return showWithoutPlace();
        if (name.trim() === '') return showProblem(t('wait.join.name'));
        await signUp(name.trim());
      }
      tabStore.remove(`onsale.ended.${id}`);
      if (findObstacle() === 'early') return showWithoutPlace();
      await joinNow();
    } catch (error) {
      showProblem(errorText(error));
    } finally {
      submitting = false;
    }
    return undefined;
  };

  /** Once a second: the countdown, joining when the line opens, and a changed obstacle. */
  const tick = () => {
    if (document.body.dataset.state === 'join') {
      if (!joining && schedule() && findObstacle() !== shownObstacle) showWithoutPlace();
      return;
    }
    const sale = schedule();
    if (!sale) return;
    const left = msUntil(sale.queue_opens_at);
    if (left > 0) {
      fillSlots('opens-in', countdown(left));
      const opens = time(sale.reservation_available_at, 'day');
      fillSlots('early-text', t(page.drawn ? 'wait.early.draw' : 'wait.early.text', { time: time(sale.queue_opens_at, 'day'), opens }));
      return;
    }
    if (currentSession()) joinNow();
    else {
      announce(t('wait.early.opened'), { urgent: true });
      showWithoutPlace();
    }
  };

  /** Shows the line's length and the seats left to a reader who has not joined. */
  const showQueueFacts = async () => {
    const { waiting, seats_available: seats } = await onsale.board(id);
    fillSlots('now-waiting', t('wait.people', { n: waiting }));
    fillSlots('now-seats', number(seats));
    showIf('facts', true);
  };

  /** Checks the sale every 10 to 15 s: a refund may reopen a sold-out sale. */
  const watchSale = async () => {
    for (;;) {
      await pause(10_000 + Math.random() * 5000);
      if (!['join', 'early', 'loading'].includes(document.body.dataset.state ?? '') || joining) continue;
      await onsale.schedule(id).then(setSchedule, () => {});
      await showQueueFacts().catch(() => showIf('facts', false));
      if (findObstacle() !== shownObstacle) showWithoutPlace();
    }
  };

  /** Starts. A signed-in reader joins at once, unless their last place ended in this tab. */
  const start = async () => {
    if (!schedule()) {
      const onError = (/** @type {unknown} */ error) => showText('trouble', errorText(error));
      setSchedule(await retry(() => onsale.schedule(id), { isTemporary: () => true, onError }));
    }
    showText('trouble', null);
    watchSale();
    if (!findObstacle()) showQueueFacts().catch(() => {});
    if (currentSession() && !findObstacle() && !tabStore.get(`onsale.ended.${id}`)) return joinNow();
    return showWithoutPlace();
  };

  return { start, joinNow, joinAs, showProblem, showUser, showWithoutPlace, tick };
}
