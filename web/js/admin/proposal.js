// @ts-check
/** Settings that a forecast proposes for a sale. They are kept until the settings form shows them. */

/** @typedef {{ capacity: number, admit_per_second: number }} Proposal */

/** @type {Map<number, Proposal>} */
const proposals = new Map();

/** Proposes settings, and opens the settings form. @param {number} schedule @param {Proposal} proposal */
export function propose(schedule, { capacity, admit_per_second }) {
  proposals.set(schedule, { capacity, admit_per_second });
  location.hash = `#/schedules/${schedule}/settings`;
}

/** The proposal for a sale, once. @param {number} schedule @returns {Proposal | undefined} */
export function takeProposal(schedule) {
  const proposal = proposals.get(schedule);
  proposals.delete(schedule);
  return proposal;
}
