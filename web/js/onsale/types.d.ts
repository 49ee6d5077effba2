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
  current?: Record<string, any>;
  etag?: string;
  obstacles?: string[];
  paid?: number;
  held?: number;
};

/** What the console exchanges with the administration. */
export type AuditEntry = Answer<Schema.AuditEntry>;
export type Job = Answer<Schema.Job>;
export type RefundPreview = Answer<Schema.RefundPreview>;
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
export type Stats = Answer<Omit<Schema.Stats, 'answers' | 'all_answers' | 'in_force' | 'pace'>> & {
  answers: AnswerRates[];
  all_answers: AnswerRates[];
  in_force: InForce;
  pace: Pace;
};
/** Why admission goes as it goes. */
export type Pace = Answer<Omit<Schema.Pace, 'sell_out' | 'faster' | 'auto'>> & {
  auto: Answer<Schema.AutoRate> | null;
  sell_out: Schema.SellOut | null;
  faster: Answer<Schema.Faster> | null;
};
/** The recorded values of a sale, and what changed in it. */
export type SaleHistory = Answer<Omit<Schema.History, 'markers'>> & { markers: Marker[] };
export type Marker = Answer<Schema.Marker>;
export type Alert = Answer<Schema.Alert>;
export type AnswerRates = Answer<Schema.Answered>;
export type InForce = Answer<Schema.InForce>;
export type NextInQueue = Answer<Schema.NextInQueue>;
export type NextEntry = Schema.NextEntry;
export type QueueSettings = Answer<Schema.QueueSettings>;
export type QueueChange = Schema.QueueChange;
export type ScheduleTimes = Required<Schema.TimesChange>;
/** What operators see and edit, drafts included. */
export type AdminConcert = Schema.AdminConcert;
export type AdminSchedule = Answer<Schema.AdminSchedule>;
export type Publication = Schema.Publication;
export type Removal = Schema.Removal;
export type SeatsState = Schema.SeatsState;
export type SeatsEffect = Schema.SeatsEffect;
export type SectionState = Schema.SectionState;
export type PriceChange = Schema.PriceChange;
export type NewSeat = Schema.NewSeat;
export type NewConcert = Schema.NewConcert;
export type NewSchedule = Schema.NewSchedule;
export type SeatMap = Schema.SeatMap;
export type NewSection = Schema.NewSection;
export type ScheduleSettings = Schema.ScheduleSettings;
export type SeatsBlocked = Schema.SeatsBlocked;
export type BlockedSeats = Schema.BlockedSeats;
export type Report = Omit<Schema.EventReport, 'line' | 'waits' | 'waits_from_opening' | 'queued'> & {
  line: Answer<Schema.LineReport>;
  waits: Answer<Schema.Waits>;
  waits_from_opening: Answer<Schema.Waits>;
  queued?: { admitted_at_once: number; waits: Answer<Schema.Waits> } | null;
};
export type Prediction = Schema.Prediction;
export type ReportPart = Schema.Part;
export type RejectionCount = Schema.RejectionCount;
export type SalesReport = Schema.SalesReport;
export type SearchAnswer = Schema.SearchAnswer;
export type SearchHit = Answer<Schema.SearchHit>;
export type NamedSeat = Schema.NamedSeat;
export type Person = Schema.Person;
export type BuyerProfile = Answer<Schema.BuyerProfile>;
export type BuyerReservation = Answer<Schema.BuyerReservation>;
export type BuyerEntry = Answer<Schema.BuyerEntry>;
export type SeatProfile = Answer<Schema.SeatProfile>;
export type HistoryEvent = Answer<Schema.HistoryEvent>;
export type Refunding = Schema.Refunding;
export type RefundedOrder = Schema.RefundedOrder;
export type Moving = Schema.Moving;
export type MovedReservation = Schema.MovedReservation;
export type Giving = Schema.Giving;
export type GivenSeats = Schema.GivenSeats;
export type GuestSeat = Answer<Schema.GuestSeat>;
export type Revoking = Schema.Revoking;
export type ReissuedPlace = Schema.ReissuedPlace;
export type ReissuedCode = Schema.ReissuedCode;
