// @ts-check
/** The form that adds points to the balance. */
import { toast } from './announce.js';
import { OnsaleError } from '../onsale.js';
import { el, setText, setAttribute } from './dom.js';
import { onsale } from './session.js';
import { withIdempotencyKey } from './store.js';
import { errorText, number, points, t } from './text.js';

/** Amounts that the buttons add, and the largest charge that the API accepts, in points. */
const AMOUNT_STEPS = [10_000, 50_000, 100_000];
export const MAX_CHARGE = 10_000_000;

/**
 * The form that adds points.
 * @param {{amount: number, charged: (balance: number) => void, unsure: () => void}} how `amount` is
 *   the initial value; `charged` gets the new balance; `unsure` is called when no answer came, so that
 *   the caller loads the balance again
 */
export function chargeForm({ amount, charged, unsure }) {
  const input = el('input', {
    type: 'number',
    class: 'figure',
    inputmode: 'numeric',
    min: 1,
    max: MAX_CHARGE,
    step: 1,
    required: true,
    value: String(amount),
  });
  const button = el('button', { type: 'submit', class: 'button' }, t('shop.charge'));
  const add = (/** @type {number} */ more) => {
    input.value = String(Math.min(MAX_CHARGE, (input.valueAsNumber || 0) + more));
  };
  const steps = AMOUNT_STEPS.map((step) =>
    el('button', { type: 'button', class: 'button quiet', on: { click: () => add(step) } }, `+${number(step)}`),
  );
  let busy = false;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    setAttribute(button, 'aria-disabled', 'true');
    setText(button, t('shop.charging'));
    const wanted = input.valueAsNumber;
    try {
      // After a lost answer, charging the same amount again repeats the same charge.
      const { balance } = await withIdempotencyKey(`charge.${wanted}`, (key) => onsale.charge(wanted, { key }));
      toast(t('shop.charged', { points: points(wanted) }));
      charged(balance);
    } catch (error) {
      const { passing } = OnsaleError.from(error);
      toast(passing ? `${errorText(error)} ${t('shop.charge.unsure')}` : errorText(error), { error: true });
      if (passing) unsure();
    } finally {
      busy = false;
      setAttribute(button, 'aria-disabled', null);
      setText(button, t('shop.charge'));
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
