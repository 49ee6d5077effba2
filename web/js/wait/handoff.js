// @ts-check
/** Going on with another device: a link that is good once, for two minutes, and its QR code. */
import { everySecond, until } from '../lib/clock.js';
import { tell } from '../lib/dialog.js';
import { el, say, svg } from '../lib/dom.js';
import { copyRow } from '../lib/recovery.js';
import { onsale } from '../lib/session.js';
import { countdown, t } from '../lib/text.js';

/** A QR code as a picture. @param {{ size: number, path: string }} code @param {string} label */
function picture({ size, path }, label) {
  // Four modules of white around it, as the standard has it.
  const viewBox = `-4 -4 ${size + 8} ${size + 8}`;
  return svg('svg', { viewBox, role: 'img', 'aria-label': label, class: 'qr' }, svg('path', { d: path }));
}

/** Makes a link for another device, and shows it. @param {string} ticket */
export async function handOff(ticket) {
  const { code, expires_at: expires } = await onsale.handOff(ticket);
  const link = `${location.origin}/continue#${code}`;
  const qr = await onsale.call('POST', '/qr', { body: { text: link } });
  const left = el('p', { class: 'figure', role: 'timer' });
  const stop = everySecond(() => {
    const rest = until(expires);
    say(left, rest > 0 ? t('wait.handoff.left', { time: countdown(rest) }) : t('wait.handoff.over'));
  });
  await tell({
    title: t('wait.handoff.title'),
    body: [t('wait.handoff.text'), picture(qr, t('wait.handoff.qr')), copyRow(link, t('wait.handoff.link')), left],
  });
  stop();
}
