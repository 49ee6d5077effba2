/**
 * The shapes that the client and the pages exchange with the API, by the names that they use for them.
 * All come from schemas.d.ts, which is generated from /openapi.json: a use of a field that the API does
 * not have fails `npm run check`.
 */
import type * as Schema from './schemas.d.ts';

/** An answer: its members are always there, if need be as null. */
type Answer<T> = { [Name in keyof T]-?: Exclude<T[Name], undefined> };

/** A ticket's current state. `queue_token`: the ticket to send from now on, if it changed. */
export type Ticket = Answer<Omit<Schema.TicketView, 'queue_token'>> & Pick<Schema.TicketView, 'queue_token'>;
export type JoinedTicket = Ticket & { queue_token: string };
export type Board = Answer<Schema.PublicBoard>;
/** A draw. Until it is over, only the commitment is there. */
export type Draw = Schema.DrawView;
export type TakenOver = Answer<Schema.TakenOverAnswer>;

export type NewUser = Schema.NewUserAnswer;
export type User = Schema.UserAnswer;
export type Renewal = Schema.RenewedAnswer;
export type NewRecoveryCode = Schema.NewRecoveryCode;
export type RecoveryCodeDate = Answer<Schema.RecoveryCodeAnswer>;
export type HandOffCode = Schema.HandOffCode;

export type Concert = Schema.Concert;
export type Schedule = Answer<Schema.ScheduleView>;
export type Layout = Schema.SeatLayout;
export type Seat = Schema.Seat;
/** The states of all seats, two bits each. */
export type SeatBits = Schema.SeatBits;
export type SeatChanges = Schema.SeatChanges;
export type BestSeats = Schema.BestSeats;
/** Seats to hold: these, or the best that are free. */
export type WantedSeats = { seat_ids: number[] } | BestSeatsWish;
export type BestSeatsWish = { quantity: number } & Pick<Schema.HoldBody, 'section' | 'max_price' | 'exclude_prices'>;

export type Hold = Schema.Hold;
/** A hold with its state. */
export type HoldView = Schema.HoldView;
export type Reservation = Schema.Reservation;
export type ReservationStatus = Schema.ReservationStatus;
export type Payment = Schema.Payment;
export type Paid = Answer<Omit<Schema.Paid, 'charged'>> & Pick<Schema.Paid, 'charged'>;
export type Refund = Schema.Refunded;
export type Balance = Schema.Balance;
export type Charge = Schema.Charged;
export type BalanceChange = Schema.Change;

/** One page of a list. */
export type List<Item> = { items: Item[]; next_cursor: string | null };
/** Which page of a list. */
export type ListPage = { limit?: number; cursor?: string | null };

/** A problem, with the members that some codes add. */
export type Problem = Partial<Schema.Problem> & {
  seat_ids?: number[];
  limit?: number;
  balance?: number;
  required?: number;
  opens_at?: string;
};

/** What the console exchanges with the administration. */
export type AuditEntry = Answer<Schema.AuditEntry>;
export type Readiness = Answer<Omit<Schema.Readiness, 'findings'>> & { findings: Finding[] };
export type Finding = Answer<Omit<Schema.Finding, 'values'>> & { values: Record<string, string | number | null> };
export type Plan = Answer<Omit<Schema.Plan, 'load' | 'needs' | 'settings' | 'input'>> & {
  load: Answer<Schema.PeakLoad>;
  needs: Answer<Schema.Needs>;
  settings: Answer<Schema.PlannedSettings>;
  input: Answer<Schema.PlanInput>;
};
export type Simulation = { recommended: Answer<Schema.Recommended> | null; summary: ForecastSummary };
export type ForecastSummary = Answer<Schema.Summary>;
export type ForecastRange = Answer<Schema.Range>;
export type ForecastPlot = Answer<Schema.Plot>;
export type Rehearsal = Answer<Omit<Schema.Rehearsal, 'progress' | 'sheet'>> & {
  progress: RehearsalProgress | null;
  sheet: RehearsalSheet | null;
};
export type RehearsalList = { items: Rehearsal[]; server_time: string };
export type RehearsalProgress = Answer<Schema.Progress>;
export type RehearsalSheet = Answer<Omit<Schema.Sheet, 'nearly_sold' | 'sold_out' | 'ends'>> & {
  nearly_sold: RehearsalCompared;
  sold_out: RehearsalCompared;
  ends: Answer<Schema.BuyerEnds>;
};
export type RehearsalCompared = Answer<Schema.Compared>;
export type Health = Schema.Health;
export type StoreHealth = Answer<Schema.StoreHealth>;
export type LoopHealth = Schema.LoopHealth;
export type Stats = Answer<Omit<Schema.Stats, 'answers' | 'in_force'>> & { answers: AnswerRates[]; in_force: InForce };
export type AnswerRates = Answer<Schema.Answered>;
export type InForce = Answer<Schema.InForce>;
export type NextInQueue = Answer<Schema.NextInQueue>;
export type NextEntry = Schema.NextEntry;
export type QueueSettings = Answer<Schema.QueueSettings>;
export type QueueChange = Schema.QueueChange;
export type ScheduleTimes = Required<Schema.TimesChange>;
export type NewConcert = Schema.NewConcert;
export type NewSchedule = Schema.NewSchedule;
export type SeatMap = Schema.SeatMap;
export type NewSection = Schema.NewSection;
export type ScheduleSettings = Schema.ScheduleSettings;
export type SeatsBlocked = Schema.SeatsBlocked;
export type BlockedSeats = Schema.BlockedSeats;
export type Report = Omit<Schema.EventReport, 'line' | 'waits' | 'waits_from_opening'> & {
  line: Answer<Schema.LineReport>;
  waits: Answer<Schema.Waits>;
  waits_from_opening: Answer<Schema.Waits>;
};
export type ReportPart = Schema.Part;
export type RejectionCount = Schema.RejectionCount;
export type SalesReport = Schema.SalesReport;
