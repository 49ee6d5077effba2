// The types of the npm package, for `npm run check`.
export { default } from 'uplot';
