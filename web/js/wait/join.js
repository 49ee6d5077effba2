// @ts-check
/** Getting into the line: before it opens, at its opening, and when there is nothing to get into. */
import { announce } from '../lib/announce.js';
import { until } from '../lib/clock.js';
import { page } from '../lib/page.js';
import { current, onsale, signUp } from '../lib/session.js';
import { keeps, tab } from '../lib/store.js';
import { countdown, errorText, number, t, time } from '../lib/text.js';
import { pause, backoff } from '../onsale/call.js';
import { fill, given, maybe } from './slots.js';

/**
 * @param {object} on
 * @param {number} on.id the schedule
 * @param {() => any} on.schedule as it is known
 * @param {(schedule: any) => void} on.learn
 * @param {(state: import('./slots.js').State) => void} on.go
 * @param {(ticket: any) => void} on.joined
 */
export function joiner({ id, schedule, learn, go, joined }) {
  let busy = false;
  let asking = false;
  /** @type {ReturnType<typeof obstacle>} */
  let shown = null;

  /** @param {string | null} text */
  const problem = (text) => maybe('join-problem', text);

  const named = () => {
    const known = current();
    given('name', known === null && page.signup);
    given('elsewhere', known === null && page.sign_in === true);
    given('known', known !== null);
    if (known) fill('as', t('wait.join.as', { name: known.name }));
  };

  /** @param {string} title @param {string} text @param {boolean} open whether one can join */
  const offer = (title, text, open) => {
    go('join');
    fill('join-title', title);
    fill('join-text', text);
    given('joinable', open);
    named();
  };

  /** What stands in the way, or nothing. @returns {'early' | 'CLOSED' | 'SOLD_OUT' | null} */
  const obstacle = () => {
    const known = schedule();
    if (!known) return null;
    if (until(known.deadline_at) <= 0) return 'CLOSED';
    if (until(known.queue_opens_at) > 0) return 'early';
    return known.phase === 'SOLD_OUT' ? 'SOLD_OUT' : null;
  };

  /** Shows where one is who has no place. */
  const stand = () => {
    const before = tab.get(`onsale.ended.${id}`);
    const why = obstacle();
    shown = why;
    if (why === 'early') {
      go('early');
      named();
      return tick();
    }
    if (why === 'CLOSED') return offer(t('wait.closed'), t('wait.closed.text'), false);
    if (why === 'SOLD_OUT') return offer(t('wait.soldout'), t('wait.soldout.text'), false);
    // Without it the place would be lost on the way to the seats.
    if (!keeps) return offer(t('wait.unkept'), t('common.unkept'), false);
    if (before) return offer(t(`wait.ended.${before}`), t('wait.join.anew'), true);
    if (!current() && !page.signup) return offer(t('common.signin'), t(page.sign_in ? 'wait.join.elsewhere' : 'common.signin.closed'), false);
    return offer(t('wait.join.title'), t('wait.join.text'), true);
  };

  /** Joins, however long it takes. */
  const now = async () => {
    if (busy) return;
    busy = true;
    problem(null);
    go('loading');
    for (let failures = 1; ; failures += 1) {
      try {
        const ticket = await onsale.join(id);
        tab.remove(`onsale.ended.${id}`);
        busy = false;
        maybe('trouble', null);
        return void joined(ticket);
      } catch (error) {
        const due = opensNow(error);
        if (!error.passing && !due) {
          busy = false;
          maybe('trouble', null);
          return void refused(error);
        }
        // At an opening everybody comes at once: the line is joined all the same, a moment later.
        if (!due) maybe('trouble', errorText(error));
        await pause(Math.max(error.retryAfter ?? 0, backoff(failures)));
      }
    }
  };

  /** Whether the line is not open yet only because our clock is a moment ahead of the server's. @param {any} error */
  const opensNow = (error) => {
    if (error.code !== 'queue_not_open') return false;
    const known = schedule();
    if (error.opens_at && known) learn({ ...known, queue_opens_at: error.opens_at });
    return obstacle() !== 'early';
  };

  /** @param {any} error */
  const refused = (error) => {
    const known = schedule();
    if (error.code === 'sold_out' && known) learn({ ...known, phase: 'SOLD_OUT' });
    stand();
    if (!['queue_not_open', 'sold_out', 'schedule_closed'].includes(error.code)) problem(errorText(error));
  };

  /** Somebody asked to join, perhaps with a name. @param {string | null} name */
  const asked = async (name) => {
    if (asking) return undefined;
    asking = true;
    try {
      if (!keeps) return problem(t('common.unkept'));
      if (!current()) {
        if (name === null) return stand();
        if (name.trim() === '') return problem(t('wait.join.name'));
        await signUp(name.trim());
      }
      tab.remove(`onsale.ended.${id}`);
      if (obstacle() === 'early') return stand();
      await now();
    } catch (error) {
      problem(errorText(error));
    } finally {
      asking = false;
    }
    return undefined;
  };

  const tick = () => {
    if (document.body.dataset.state === 'join') {
      if (!busy && schedule() && obstacle() !== shown) stand();
      return;
    }
    const known = schedule();
    const left = until(known.queue_opens_at);
    if (left > 0) {
      fill('opens-in', countdown(left));
      const opens = time(known.reservation_available_at, 'day');
      fill('early-text', t(page.drawn ? 'wait.early.draw' : 'wait.early.text', { time: time(known.queue_opens_at, 'day'), opens }));
      return;
    }
    if (current()) now();
    else {
      announce(t('wait.early.opened'), { urgent: true });
      stand();
    }
  };

  /** How long the line is, for whoever thinks about joining. */
  const facts = async () => {
    const { waiting, seats_available: seats } = await onsale.board(id);
    fill('now-waiting', t('wait.people', { n: waiting }));
    fill('now-seats', number(seats));
    given('facts', true);
  };

  /** Sold out now may be on again after a refund. */
  const watch = async () => {
    for (;;) {
      await pause(10_000 + Math.random() * 5000);
      if (!['join', 'early', 'loading'].includes(document.body.dataset.state ?? '') || busy) continue;
      await onsale.schedule(id).then(learn, () => {});
      await facts().catch(() => given('facts', false));
      if (obstacle() !== shown) stand();
    }
  };

  /** Begins: whoever is known and did not leave joins at once, since that is what they came for. */
  const begin = async () => {
    for (let failures = 1; !schedule(); failures += 1) {
      await onsale.schedule(id).then(learn, async (error) => {
        maybe('trouble', errorText(error));
        await pause(backoff(failures));
      });
    }
    maybe('trouble', null);
    watch();
    if (!obstacle()) facts().catch(() => {});
    if (current() && !obstacle() && !tab.get(`onsale.ended.${id}`)) return now();
    return stand();
  };

  return { begin, now, asked, problem, named, stand, tick };
}
