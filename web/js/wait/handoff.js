// @ts-check
/** Continuing on another device: a link that works once, for two minutes, and its QR code. */
import { everySecond, msUntil } from '../lib/clock.js';
import { showInfo } from '../lib/dialog.js';
import { el, setText, svg } from '../lib/dom.js';
import { copyRow } from '../lib/recovery.js';
import { onsale } from '../lib/session.js';
import { countdown, t } from '../lib/text.js';

/** Draws a QR code. @param {{ size: number, path: string }} code @param {string} label */
function qrPicture({ size, path }, label) {
  // The standard requires a margin of four modules.
  const viewBox = `-4 -4 ${size + 8} ${size + 8}`;
  return svg('svg', { viewBox, role: 'img', 'aria-label': label, class: 'qr' }, svg('path', { d: path }));
}

/** Creates a link for another device and shows it. @param {string} ticket */
export async function showHandOff(ticket) {
  const { code, expires_at: expires } = await onsale.handOff(ticket);
  const link = `${location.origin}/continue#${code}`;
  const qr = await onsale.call('POST', '/qr', { body: { text: link } });
  const left = el('p', { class: 'figure', role: 'timer' });
  const stop = everySecond(() => {
    const rest = msUntil(expires);
    setText(left, rest > 0 ? t('wait.handoff.left', { time: countdown(rest) }) : t('wait.handoff.over'));
  });
  await showInfo({
    title: t('wait.handoff.title'),
    body: [t('wait.handoff.text'), qrPicture(qr, t('wait.handoff.qr')), copyRow(link, t('wait.handoff.link')), left],
  });
  stop();
}
