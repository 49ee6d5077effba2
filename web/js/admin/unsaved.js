// @ts-check
/** Unsaved changes: leaving them asks first, within the console and when the page is closed. */
import { confirm } from '../lib/dialog.js';
import { t } from '../lib/text.js';

/** Whether the shown part has unsaved changes. @type {() => boolean} */
let isUnsaved = () => false;

/** Sets the question for the shown part. Returns a function that removes it. @param {() => boolean} ask */
export function guardUnsaved(ask) {
  isUnsaved = ask;
  return () => {
    if (isUnsaved === ask) isUnsaved = () => false;
  };
}

window.addEventListener('beforeunload', (event) => {
  if (isUnsaved()) event.preventDefault();
});

/** Whether the shown part may be left: it has no unsaved changes, or the operator discards them. */
export async function mayLeave() {
  if (!isUnsaved()) return true;
  return confirm({
    title: t('admin.unsaved.leave'),
    body: t('admin.unsaved.leave.body'),
    yes: t('admin.unsaved.leave.yes'),
    danger: true,
  });
}
