// What the tests put into the pages, for `npm run check`.

/** The accessibility checker. */
declare var axe: typeof import('axe-core');
/** Set if a page ran a script that was only text. */
declare var stolen: unknown;
/** Notifications that a page showed. */
declare var notes: string[];
/** The times of the frames that a page drew, and the request for the next one. */
declare var frameTimes: number[];
declare var counting: number;
