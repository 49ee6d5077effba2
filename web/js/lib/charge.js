// @ts-check
/** Charging points. */
import { toast } from './announce.js';
import { el, say, set } from './dom.js';
import { onsale } from './session.js';
import { once } from './store.js';
import { errorText, number, points, t } from './text.js';

/** What buttons add, and what one charge may be. */
const STEPS = [10_000, 50_000, 100_000];
export const MOST = 10_000_000;

/**
 * A form that charges points.
 * @param {{amount: number, charged: (balance: number) => void, unsure: () => void}} how `amount` is
 *   proposed; `charged` is told the balance; `unsure`: there was no answer, so that the balance is
 *   to be looked up
 */
export function chargeForm({ amount, charged, unsure }) {
  const input = el('input', {
    type: 'number', class: 'figure', inputmode: 'numeric', min: 1, max: MOST, step: 1, required: true, value: String(amount),
  });
  const button = el('button', { type: 'submit', class: 'button' }, t('shop.charge'));
  const add = (/** @type {number} */ more) => {
    input.value = String(Math.min(MOST, (input.valueAsNumber || 0) + more));
  };
  const steps = STEPS.map((step) =>
    el('button', { type: 'button', class: 'button quiet', on: { click: () => add(step) } }, `+${number(step)}`),
  );
  let busy = false;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    set(button, 'aria-disabled', 'true');
    say(button, t('shop.charging'));
    const wanted = input.valueAsNumber;
    try {
      // The same amount again after a lost answer is the same charge.
      const { balance } = await once(`charge.${wanted}`, (key) => onsale.charge(wanted, { key }));
      toast(t('shop.charged', { points: points(wanted) }));
      charged(balance);
    } catch (error) {
      toast(error.passing ? `${errorText(error)} ${t('shop.charge.unsure')}` : errorText(error), { error: true });
      if (error.passing) unsure();
    } finally {
      busy = false;
      set(button, 'aria-disabled', null);
      say(button, t('shop.charge'));
    }
  };
  return el(
    'form',
    { class: 'charge', on: { submit } },
    el('label', { class: 'field' }, el('span', null, t('shop.charge.amount')), input),
    el('div', { class: 'charge-steps' }, steps),
    button,
  );
}
