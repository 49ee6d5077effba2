// The shapes that scenarios, invariants and adapters share. An adapter implements Shop and Buyer.

/** The shop under test. Its functions take the shop's own kind of sale, as `prepare` returned it. */
export interface Shop {
  name: string;
  /** Called once, before the first buyer: waits for the shop, then creates a sale and its buyers, or finds them. */
  prepare(plan: Plan): Sale;
  /** The buyer with this number, 0 to `sale.buyers` − 1. Each number is another user of the shop. */
  buyer(sale: Sale, number: number): Buyer;
  /** The sale as its operator sees it now, or null if the shop did not answer. */
  figures(sale: Sale): Figures | null;
  /** Called once, after the last buyer: waits until no seat is held, then reads who owns what. */
  books(sale: Sale): Books;
  /** Called once, last. Closes a sale that `prepare` created. */
  cleanUp(sale: Sale): void;
  /** Lets the first `count` buyers join, as fast as possible. Without it, each joins by itself. */
  fill?(sale: Sale, count: number): void;
  /** The public board of the queue, if the shop has one. */
  board?(sale: Sale): Board | null;
}

/** What a scenario needs. */
export interface Plan {
  /** Number of buyers that may come. */
  buyers: number;
  seats: number;
  /** When the sale opens, in seconds from now. Below zero: it is open already. */
  opensInSeconds: number;
  queue: QueuePlan;
}

export interface QueuePlan {
  /** Largest number of active buyers. */
  capacity: number;
  admitPerSecond: number;
  /** How long a buyer may stay active, in seconds. */
  activeSeconds: number;
  /** How long seats are held for a buyer who does not pay, in seconds. */
  holdSeconds: number;
  /** Most seats of one buyer. */
  seatLimit: number;
  /** How long an admitted buyer may take to poll, in seconds. */
  claimSeconds?: number;
  /** How long a waiting buyer may be silent, in seconds. */
  presenceSeconds?: number;
  /** Whether buyers who join before the opening are put in random order. */
  draw?: boolean;
}

/** The sale under test. k6 copies it to every VU, so it must be small. */
export interface Sale {
  /** Distinguishes this run from earlier ones. */
  run: string;
  /** Whether `prepare` created the sale. */
  isOurs: boolean;
  /** Numbers of the seats: 1 to `seats`. */
  seats: number;
  buyers: number;
  capacity: number;
  seatLimit: number;
  holdSeconds: number;
  /** Seats that cannot be sold, because they are sold or blocked already. */
  takenBefore: number;
  revenueBefore: number;
}

/** A buyer's entry in the queue, as the last answer showed it. */
export interface Turn {
  id: string;
  state: 'waiting' | 'active' | 'ended';
  /** 1 is the next. Null while the shop does not show it. */
  position: number | null;
  /** Number of entries ahead, if the shop shows it beside the position. */
  ahead: number | null;
  /** A number of the entry that never changes, if the shop shows one. */
  order: number | null;
  /** Whether positions may change, for example after a loss of data. They are then not compared. */
  unsettled: boolean;
  soldOut: boolean;
  /** When to ask again, in ms. */
  askAgainMs: number;
  /** For a join: whether the buyer was in the queue already. */
  repeated: boolean;
  /** The answer's state in the shop's own words, for messages. */
  says: string;
}

/** Seats to hold: these numbers, or the best that are free. */
export type Wanted = { numbers: number[] } | AnySeats;
export interface AnySeats {
  quantity: number;
  section?: string;
  maxPrice?: number;
}

export interface Held {
  id: string;
  seats: { number: number; price: number }[];
  total: number;
}

export type Refusal =
  | 'seat_taken'
  | 'not_enough_seats'
  | 'not_active' // the buyer's time is over
  | 'over_limit' // the buyer would have too many seats, or holds too often
  | 'closed'
  | 'other';
export type HoldAnswer = { held: Held; refused?: undefined } | { refused: Refusal; held?: undefined };
/** Paid seats. `receipts` has the shop's id of each seat's payment. */
export interface Paid {
  total: number;
  receipts: (string | number)[];
}
export type PayAnswer = { paid: Paid; refused?: undefined } | { refused: 'no_money' | 'too_late' | 'other'; paid?: undefined };

/** One user of the shop. Methods that return null got no usable answer. */
export interface Buyer {
  /** For messages. */
  id: string;
  /** If false, the buyer does not wait when the shop asks to come back later: a bot. */
  patient: boolean;
  /** Joins the queue. Joining again must return the same entry. `sold_out`: there was nothing to wait for. */
  join(): Turn | 'sold_out' | null;
  poll(): Turn | null;
  /** Leaves the queue, or gives up the active slot. */
  leave(): void;
  /** The seats in order of their numbers: 0 free, 1 held, 2 sold or blocked. */
  look(): Uint8Array;
  hold(wanted: Wanted): HoldAnswer;
  release(held: Held): void;
  /** Pays a hold. `twice` also repeats the payment, as after a lost answer: it must have no further effect. */
  pay(held: Held, how: { twice: boolean }): PayAnswer;
  /** Tries to pay without money. Returns whether the shop refused it. */
  payWithoutMoney?(held: Held): boolean;
  /** Gives one paid seat back. Returns whether that worked. */
  refund?(paid: Paid): boolean;
  /** Sends forged tickets. Returns what the shop accepted. */
  forge?(): string[];
  /** Tries, once, to hold more seats than allowed, in the ways that the shop's protocol may permit. */
  grab?(): void;
  /** Number of seats that this buyer keeps from others now. */
  kept?(): number | null;
}

/** The sale as its operator sees it. */
export interface Figures {
  waiting: number;
  active: number;
  held: number;
  sold: number;
  total: number;
}

/** The public board: how many wait, and pairs of an entry's order and the number of entries ahead of it. */
export interface Board {
  waiting: number;
  active: number;
  ranks: number[][];
}

/** Who owns what, by the shop's records. */
export interface Books {
  /** One entry for each seat of each buyer: a seat that was sold twice is there twice. */
  owned: { seat: number; buyer: string; price: number }[];
  /** Number of payments that are in force. */
  payments: number;
  seats: { free: number; held: number; sold: number; blocked: number };
  /** What the shop says that it earned, or null. */
  revenue: number | null;
  /** The maps that the shop shows: name → the states of all seats, as `look` returns them. */
  maps: Record<string, Uint8Array>;
  /** Further records that disagree, in words. */
  differences: string[];
}

/** How a visit ended. */
export type End = 'bought' | 'sold_out' | 'left' | 'never_paid' | 'slot_ran_out' | 'gave_up';

/** What was seen of a metric, by the name of each figure. */
export type Values = Record<string, number>;
/** The figures of a route's latency. */
export type Figured = Record<'count' | 'min' | 'med' | 'p(95)' | 'p(99)' | 'max', number>;

/** k6's summary of a run. */
export interface Summary {
  metrics: Record<string, { type: string; values: Values; thresholds?: Record<string, { ok: boolean }> }>;
  state: { testRunDurationMs: number };
  setup_data?: unknown;
}

/** The settings of a run, shown in the report. */
export type Settings = Record<string, string | number | boolean | undefined>;

/** What one kind of buyer got. */
export interface CrowdRow {
  kind: string;
  visits: number;
  calls: number;
  admitted: number;
  held: number;
  bought: number;
  waited: number | null;
}

export interface Report {
  shop: string;
  scenario: string;
  profile: string;
  /** Which part of a distributed run, or '' for a run of one k6. */
  part: string;
  passed: boolean;
  ended_at: string;
  run_seconds: number;
  settings: Settings;
  requests: number;
  thresholds: { metric: string; limit: string; ok: boolean; found: number | null }[];
  routes: ({ route: string } & Figured)[];
  crowd: CrowdRow[];
  counts: Values;
  trends: Record<string, Values>;
}
