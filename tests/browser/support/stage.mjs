// A service and a browser, which most test files need.

import { assertAccessible, launch, DESKTOP, takeScreenshot } from './browser.mjs';
import { startService, startStaffedService } from './service.mjs';

/** @typedef {Awaited<ReturnType<typeof startStage>>} Stage */

/**
 * Starts a service and a browser.
 * @param {Record<string, string>} [settings] settings of the service
 */
export const startStage = async (settings) => stageOf(await startService(settings));

/** Starts a service with a token of each role of staff, and a browser. */
export const startStaffedStage = async () => stageOf(await startStaffedService());

/**
 * A running service with a browser.
 * @template {import('./service.mjs').Service} Service
 * @param {Service} service
 */
async function stageOf(service) {
  const browser = await launch().catch(async (error) => {
    await service.stop();
    throw error;
  });
  return {
    service,
    browser,
    /** The process of `onsale dev`. */
    pid: service.pid,
    /**
     * Opens a new browser context.
     * @param {import('playwright-core').BrowserContextOptions & { size?: import('./browser.mjs').Size, lang?: import('./browser.mjs').Lang, dark?: boolean }} [how]
     */
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
