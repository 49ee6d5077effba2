// Makes small pictures for the documents from the screenshots that the tests save:
//
//   node tests/browser/pictures.mjs                    all pictures of the list below
//   node tests/browser/pictures.mjs sale-desktop-en    only the named ones

import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { launch } from './support/browser.mjs';

/** The screenshots, and their width in the documents. */
const PICTURES = /** @type {const} */ ([
  ['sale-desktop-en', 960],
  ['concert-phone-en-dark', 390],
  ['waiting-phone-ko', 390],
  ['waiting-desktop-en', 960],
  ['turn-desktop-ko-dark', 960],
  ['draw-checked', 960],
  ['arena-desktop', 960],
  ['picked-phone-en-dark', 390],
  ['checkout-phone-ko', 390],
  ['rival-desktop', 960],
  ['me-desktop-en', 960],
  ['admin-rush', 960],
]);

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const wanted = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const browser = await launch();
for (const [name, width] of PICTURES.filter(([name]) => wanted.length === 0 || wanted.includes(name))) {
  const data = await readFile(new URL(`./shots/${name}.png`, import.meta.url), 'base64');
  const page = await browser.newPage({ viewport: { width, height: 100 } });
  await page.setContent(`<body style="margin:0"><img style="display:block;width:100%" src="data:image/png;base64,${data}">`);
  await page.locator('img').screenshot({ path: `${folder}${name}.jpg`, type: 'jpeg', quality: 72 });
  await page.close();
}
await browser.close();
