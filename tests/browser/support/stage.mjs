// A service and a browser, and pages in it: what most test files begin with.

import { assertAccessible, launch, DESKTOP, takeScreenshot } from './browser.mjs';
import { startService } from './service.mjs';

/**
 * Starts both.
 * @param {Record<string, string>} [settings] of the service
 */
export async function startStage(settings) {
  const service = await startService(settings);
  const browser = await launch().catch(async (error) => {
    await service.stop();
    throw error;
  });
  return {
    service,
    browser,
    /** The process of `onsale dev`. */
    pid: service.pid,
    /** A reader of their own, with nothing kept. */
    context: ({ size = DESKTOP, lang = 'en', dark = false, ...more } = {}) =>
      browser.newContext({
        ...size,
        baseURL: service.base,
        locale: lang === 'ko' ? 'ko-KR' : 'en-US',
        timezoneId: 'Asia/Seoul',
        colorScheme: dark ? 'dark' : 'light',
        ...more,
      }),
    takeScreenshot,
    assertAccessible,
    async end() {
      await browser.close();
      await service.stop();
    },
  };
}
