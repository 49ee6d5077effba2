// The sections of the sales that the load tests create, and their prices.
export const SECTIONS = [
  { name: 'A', price: 120_000 },
  { name: 'B', price: 90_000 },
  { name: 'C', price: 60_000 },
];
