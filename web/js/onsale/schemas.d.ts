// Generated from /openapi.json by `make types`: do not change it by hand.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description A concert as an administrator sees it. */
    AdminConcert: {
      /** @description Description, up to 10,000 characters. */
      description: string;
      /** @description It is not published: only administrators see it and its schedules. */
      draft: boolean;
      /** @description Id of the concert. */
      id: components['schemas']['ConcertId'];
      /** @description Its removal has begun. It can no longer be changed. */
      removing: boolean;
      /** @description Whether the concert is on sale at all. */
      status: components['schemas']['ConcertStatus'];
      /** @description Title, 1 to 200 characters. */
      title: string;
    };
    /** @description A schedule as an administrator sees it, at most 1 s old. */
    AdminSchedule: components['schemas']['ScheduleView'] & {
      /** @description Its concert is not published, so neither is it. */
      concert_draft: boolean;
      /** @description It is not published: only administrators see it. */
      draft: boolean;
      /** @description Its removal has begun. It can no longer be changed. */
      removing: boolean;
    };
    /**
     * @description Why nobody is admitted.
     * @enum {string}
     */
    AdmissionBlock:
      | 'RECOVERING'
      | 'WITHDRAWN'
      | 'CLOSED'
      | 'NO_SEATS'
      | 'UPCOMING'
      | 'PAUSED'
      | 'SOLD_OUT'
      | 'DRAW'
      | 'NO_CAPACITY'
      | 'EMPTY'
      | 'FULL'
      | 'ASKING';
    /**
     * @description Where the admission rate comes from.
     * @enum {string}
     */
    AdmissionMode: 'FIXED' | 'AUTO';
    /** @description What became of the people who were admitted. Each of them counts in one member. */
    AdmittedPeople: {
      /**
       * Format: int64
       * @description Held a seat and did not pay.
       */
      held_not_paid: number;
      /**
       * Format: int64
       * @description Were seen after the admission, and held no seat.
       */
      held_nothing: number;
      /**
       * Format: int64
       * @description Were never seen after the admission: they were passed over, and did not return.
       */
      no_shows: number;
      /**
       * Format: int64
       * @description Did not pay, and still can: they have a slot or a hold, or may return.
       */
      open: number;
      /**
       * Format: int64
       * @description Paid for a seat, also if it was refunded later.
       */
      paid: number;
    };
    /** @description An alert about a sale, or about a store and so about every sale. */
    Alert: {
      /**
       * Format: date-time
       * @description When it began.
       */
      begun_at: string;
      /** @description The figures at its begin. */
      detail: Record<string, unknown>;
      /**
       * Format: date-time
       * @description When it ended. Null while it lasts.
       */
      ended_at?: string | null;
      /**
       * Format: int64
       * @description Id of the alert. Newer alerts have higher ids.
       */
      id: number;
      /** @description What it is about. Later releases may add kinds. */
      kind: components['schemas']['AlertKind'];
      schedule_id?: components['schemas']['ScheduleId'] | null;
    };
    /**
     * @description What an alert is about.
     * @enum {string}
     */
    AlertKind:
      | 'NOBODY_ADMITTED'
      | 'RECOVERING'
      | 'REFUSALS_RISE'
      | 'SOLD_OUT'
      | 'STORES_DIFFER'
      | 'REDIS_UNAVAILABLE'
      | 'POSTGRES_UNAVAILABLE'
      | 'REDIS_SLOW'
      | 'POSTGRES_POOL_EXHAUSTED';
    /**
     * @description Answers to one kind of call over the last ten seconds, for all schedules. All figures are null
     *     until a process has two samples.
     */
    Answered: {
      /** @description The kind of call. */
      call: components['schemas']['Call'];
      /**
       * Format: double
       * @description Answers with status 500 or above per second.
       */
      errors_per_second?: number | null;
      /**
       * Format: double
       * @description Answers with status 429 per second.
       */
      limited_per_second?: number | null;
      /**
       * Format: double
       * @description 99th percentile of the time until the response head, in milliseconds, to a quarter of its
       *     value. Null if there were no calls.
       */
      p99_ms?: number | null;
      /**
       * Format: double
       * @description Answers per second.
       */
      per_second?: number | null;
    };
    /** @description When people come. */
    Arrivals: {
      /** @description How they are spread. */
      curve: components['schemas']['Curve'];
      /**
       * Format: double
       * @description Time before the opening within which these come (s).
       */
      early_seconds: number;
      /**
       * Format: double
       * @description Share of the people who come before the opening.
       */
      early_share: number;
      /**
       * Format: double
       * @description Time after the opening within which nearly all others come (s).
       */
      late_seconds: number;
    };
    /** @description What the simulation assumes about people. */
    AssumedCrowd: {
      /** @description How likely a person wants one seat, two, and so on. */
      baskets: number[];
      /**
       * Format: double
       * @description Median time from admission to the hold, in seconds.
       */
      choose_seconds: number;
      /**
       * Format: double
       * @description Share of the admitted that leaves without a seat.
       */
      leaves_sale: number;
      /**
       * Format: double
       * @description Share that leaves the queue soon.
       */
      leaves_soon: number;
      /**
       * Format: double
       * @description Share that is away when its turn comes.
       */
      no_shows: number;
      /**
       * Format: double
       * @description Median time from the hold to the payment, in seconds.
       */
      pay_seconds: number;
      /**
       * Format: double
       * @description Share of the people with held seats who pay.
       */
      pays: number;
    };
    /** @description One change that an administrator made. */
    AuditEntry: {
      /** @description The action, such as `queue.change`. */
      action: string;
      /** @description Id of the administrator. */
      admin: components['schemas']['UserId'];
      /** @description Name of the administrator. */
      admin_name: string;
      /** @description State after the change. */
      after?: Record<string, unknown> | null;
      /** @description State before the change. Null for a creation. */
      before?: Record<string, unknown> | null;
      /**
       * Format: date-time
       * @description When the change was made.
       */
      created_at: string;
      /**
       * Format: int64
       * @description Id of the entry. Newer entries have higher ids.
       */
      id: number;
      /** @description What was changed, such as `schedule 7`. */
      subject: string;
    };
    /** @description The automatic admission rate, and why it is what it is. */
    AutoRate: {
      /** @description Why the rate changed last. */
      change_reason: components['schemas']['AutoReason'];
      /**
       * Format: date-time
       * @description When the rate changed last. Null before the first check.
       */
      changed_at?: string | null;
      /**
       * Format: date-time
       * @description When the rate was checked last. Null before the first check.
       */
      checked_at?: string | null;
      /**
       * Format: float
       * @description Share of holds and payments that fail, in percent. Null with fewer than ten.
       */
      error_percent?: number | null;
      /**
       * Format: int32
       * @description The rate of the mode FIXED: `admit_per_second`.
       */
      fixed_per_second: number;
      /**
       * Format: int32
       * @description Highest rate.
       */
      max_per_second: number;
      /**
       * Format: int32
       * @description Lowest rate.
       */
      min_per_second: number;
      /**
       * Format: float
       * @description 99th percentile of holds and payments over ten seconds, in ms. Null with fewer than ten.
       */
      p99_ms?: number | null;
      /**
       * Format: int32
       * @description Admissions per second.
       */
      per_second: number;
      /** @description Why the rate was kept or changed when it was checked last. */
      reason: components['schemas']['AutoReason'];
      /**
       * Format: float
       * @description Share of active slots in use, in percent. Null if unknown.
       */
      slots_percent?: number | null;
      /**
       * Format: int32
       * @description Its target.
       */
      target_error_percent: number;
      /**
       * Format: int32
       * @description Its target.
       */
      target_p99_ms: number;
      /**
       * Format: int32
       * @description Its target. 100: none.
       */
      target_slots_percent: number;
    };
    /**
     * @description Why the rate is what it is.
     * @enum {string}
     */
    AutoReason:
      | 'STARTED'
      | 'SLOW'
      | 'ERRORS'
      | 'SLOTS'
      | 'RAISED'
      | 'ON_TARGET'
      | 'SETTLING'
      | 'NOT_LIMITING'
      | 'FEW_ANSWERS'
      | 'NO_READING'
      | 'NOT_ADMITTING'
      | 'AT_MIN'
      | 'AT_MAX';
    /** @description A user's balance. */
    Balance: {
      /**
       * Format: int64
       * @description Balance in points. Never negative.
       */
      amount: number;
      /**
       * Format: date-time
       * @description When the balance last changed.
       */
      last_updated_at: string;
    };
    /** @description A number before and after a change. */
    BeforeAfter: {
      /**
       * Format: int64
       * @description After the change.
       */
      after: number;
      /**
       * Format: int64
       * @description Before the change.
       */
      before: number;
    };
    /** @description Free seats that could be held together. */
    BestSeats: {
      /** @description The seats in order of seat number. Empty if there are too few. */
      seats: components['schemas']['Seat'][];
      /**
       * Format: int64
       * @description Sum of their prices, in points.
       */
      total_amount: number;
    };
    /** @description The blocked seats of a schedule. */
    BlockedSeats: {
      /** @description Ids of the seats, in order of seat number. */
      seat_ids: number[];
    };
    /** @description Seats to block or unblock. */
    Blocking: {
      /** @description True to block the seats, false to unblock them. */
      blocked: boolean;
      /** @description Ids of the seats. Seats that are already in the requested state do not change. */
      seat_ids: number[];
    };
    /** @description How the buyers ended. */
    BuyerEnds: {
      /**
       * Format: int64
       * @description Were away when their turn came.
       */
      away: number;
      /**
       * Format: int64
       * @description Bought seats.
       */
      bought: number;
      /**
       * Format: int64
       * @description Got answers that no client could have expected.
       */
      failed: number;
      /**
       * Format: int64
       * @description Were admitted, and found too few free seats.
       */
      found_no_seats: number;
      /**
       * Format: int64
       * @description Were late: the slot or the sale had ended.
       */
      late: number;
      /**
       * Format: int64
       * @description Left the queue, or the sale without a hold.
       */
      left: number;
      /**
       * Format: int64
       * @description Held seats and did not pay.
       */
      never_paid: number;
      /**
       * Format: int64
       * @description Found everything sold while they waited, or when they came.
       */
      sold_out: number;
    };
    /** @description One queue entry of a buyer, as archived about a second after each change. */
    BuyerEntry: {
      /**
       * Format: date-time
       * @description When it was first admitted.
       */
      admitted_at?: string | null;
      /**
       * Format: date-time
       * @description When it ended.
       */
      ended_at?: string | null;
      /**
       * Format: date-time
       * @description When it joined.
       */
      joined_at: string;
      /** @description The schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /** @description Its sequence when it joined. */
      sequence: components['schemas']['Sequence'];
      /** @description Status of the entry. */
      status: components['schemas']['TicketStatus'];
      /**
       * Format: uuid
       * @description The ticket id.
       */
      ticket_id: string;
    };
    /** @description A buyer. */
    BuyerProfile: {
      /**
       * Format: int64
       * @description Balance in points.
       */
      balance: number;
      /**
       * Format: date-time
       * @description When the user was created.
       */
      created_at: string;
      /** @description Id of the user. */
      id: components['schemas']['UserId'];
      /** @description Name of the user. */
      name: string;
      /**
       * Format: date-time
       * @description When the current recovery code was created; null if there is none.
       */
      recovery_code_at?: string | null;
      /** @description An identity provider signs the user in, so there is no recovery code. */
      signs_in_elsewhere: boolean;
    };
    /** @description One reservation of a buyer. */
    BuyerReservation: {
      /**
       * Format: int64
       * @description Price of the seat when it was held, in points.
       */
      amount: number;
      /**
       * Format: date-time
       * @description When the time to pay ends or ended.
       */
      expires_at: string;
      /** @description Given to a guest for free. */
      guest: boolean;
      /**
       * Format: uuid
       * @description Id of the hold. Seats held by one request share it.
       */
      hold_id: string;
      /** @description Id of the reservation. */
      id: components['schemas']['ReservationId'];
      payment_id?: components['schemas']['PaymentId'] | null;
      payment_status?: components['schemas']['PaymentStatus'] | null;
      /**
       * Format: date-time
       * @description When the seat was held or given.
       */
      reservation_at: string;
      /** @description The seat. */
      seat: components['schemas']['NamedSeat'];
      /** @description Status of the reservation. */
      status: components['schemas']['ReservationStatus'];
    };
    /**
     * @description A kind of call.
     * @enum {string}
     */
    Call: 'join' | 'poll' | 'seats' | 'hold' | 'pay' | 'other';
    /** @description One change of a balance. Changes are never updated or deleted. */
    Change: {
      /**
       * Format: int64
       * @description Change in points. Negative for a payment.
       */
      amount: number;
      /**
       * Format: int64
       * @description Balance after the change, in points.
       */
      balance_after: number;
      /**
       * Format: date-time
       * @description When the change was made.
       */
      created_at: string;
      /**
       * Format: int64
       * @description Id of the change. Newer changes have higher ids.
       */
      id: number;
      /** @description Why the balance changed. */
      kind: components['schemas']['Kind'];
      /** @description What caused the change: the id of a hold or payment, or the idempotency key of a charge. */
      reference: string;
    };
    /** @description A seat whose state changed. */
    ChangedSeat: {
      /** @description Id of the seat. */
      id: components['schemas']['SeatId'];
      /** @description New state. */
      status: components['schemas']['SeatStatus'];
    };
    /** @description The number of points to add. */
    ChargeBody: {
      /**
       * Format: int64
       * @description Points to add: 1 to 10,000,000. Other values get `422 invalid_amount`.
       */
      amount: number;
    };
    /** @description Result of a charge. */
    Charged: {
      /**
       * Format: int64
       * @description Points added.
       */
      amount: number;
      /**
       * Format: int64
       * @description Balance afterwards, in points.
       */
      balance: number;
    };
    /** @description A measured time beside the simulation. */
    Compared: {
      /**
       * Format: double
       * @description The highest.
       */
      high?: number | null;
      /**
       * Format: double
       * @description The lowest of the simulated runs; null if it happened in none.
       */
      low?: number | null;
      /**
       * Format: double
       * @description What was measured; null if it did not happen.
       */
      measured?: number | null;
      /**
       * Format: double
       * @description The middle one.
       */
      median?: number | null;
    };
    /** @description A prediction beside a measurement. */
    Comparison: {
      /**
       * Format: double
       * @description The prediction's error, as a share of the measurement.
       */
      error: number;
      /**
       * Format: double
       * @description What was measured.
       */
      measured: number;
      /**
       * Format: double
       * @description What the plan's calculation says.
       */
      predicted: number;
      /** @description What was measured, and its unit. */
      what: string;
    };
    /** @description A concert. */
    Concert: {
      /** @description Description, up to 10,000 characters. */
      description: string;
      /** @description Id of the concert. */
      id: components['schemas']['ConcertId'];
      /** @description Whether the concert is on sale at all. */
      status: components['schemas']['ConcertStatus'];
      /** @description Title, 1 to 200 characters. */
      title: string;
    };
    /** @description Changes to a concert. Absent fields keep their values. */
    ConcertChange: {
      /** @description Description, up to 10,000 characters. */
      description?: string;
      /** @description Whether the concert is on sale at all. UNAVAILABLE stops joins and holds at once. */
      status?: components['schemas']['ConcertStatus'];
      /** @description Title, 1 to 200 characters. */
      title?: string;
    };
    /**
     * Format: int64
     * @description The id of a concert, which has one or more schedules.
     */
    ConcertId: number;
    /**
     * @description Whether a concert is on sale at all. UNAVAILABLE stops joins and holds at once.
     * @enum {string}
     */
    ConcertStatus: 'AVAILABLE' | 'UNAVAILABLE';
    /** @description How people behave. */
    Crowd: {
      /**
       * Format: int32
       * @description Holds that a person tries, each for one seat less.
       */
      attempts: number;
      /** @description How likely a person wants one seat, two, and so on. */
      baskets: number[];
      /** @description From admission to the hold. */
      choose: Record<string, unknown>;
      /**
       * Format: double
       * @description Share of the admitted that leaves without a seat.
       */
      leaves_sale: number;
      /**
       * Format: double
       * @description Share that leaves the queue after two polls.
       */
      leaves_soon: number;
      /**
       * Format: double
       * @description Share that is away when its turn comes, with the page open.
       */
      no_shows: number;
      /**
       * Format: double
       * @description Mean time after which a waiting person closes the page (s); `None`: nobody does.
       */
      patience_seconds?: number | null;
      /** @description From the hold to the payment. */
      pay: Record<string, unknown>;
      /**
       * Format: double
       * @description Share that pays for the seats it holds.
       */
      pays: number;
      /** @description Between two of them. */
      retry: Record<string, unknown>;
    };
    /**
     * @description How arrivals are spread over their time.
     * @enum {string}
     */
    Curve: 'even' | 'rush';
    /** @description The delivery of one event to one endpoint. */
    Delivery: {
      /**
       * Format: int32
       * @description Number of attempts so far.
       */
      attempts: number;
      /**
       * Format: date-time
       * @description When the next attempt is due at the latest; null unless the delivery is pending.
       */
      due_at?: string | null;
      /**
       * Format: date-time
       * @description When it was delivered or given up; null while it is pending.
       */
      ended_at?: string | null;
      /** @description Id of the event: the header `webhook-id`. */
      event_id: string;
      /** @description Type of the event. */
      event_type: string;
      /**
       * Format: int64
       * @description Id of the delivery.
       */
      id: number;
      /** @description Why the last attempt failed; null if it did not. */
      last_error?: string | null;
      /**
       * Format: int32
       * @description Status of the last answer; null if there was none.
       */
      last_status?: number | null;
      /** @description Status of the delivery. */
      status: components['schemas']['DeliveryStatus'];
    };
    /**
     * @description Status of a delivery.
     * @enum {string}
     */
    DeliveryStatus: 'PENDING' | 'DELIVERED' | 'DEAD';
    /**
     * @description Why an endpoint is disabled.
     * @enum {string}
     */
    DisabledReason: 'ADMIN' | 'GONE';
    /** @description The public proof of a draw. */
    DrawView: {
      /** @description The SHA-256 of the secret, in hex. Public from the creation of the schedule on. */
      commitment: string;
      /**
       * Format: int64
       * @description Number of entrants.
       */
      entrants?: number | null;
      /**
       * Format: date-time
       * @description When the secret became public.
       */
      opened_at?: string | null;
      /** @description The secret, in hex, once every entrant has a drawn rank. */
      secret?: string | null;
    };
    /** @description How many people ended in each way. */
    Ends: {
      /**
       * Format: int64
       * @description Were away when their turn came.
       */
      away: number;
      /**
       * Format: int64
       * @description Bought seats.
       */
      bought: number;
      /**
       * Format: int64
       * @description Were admitted, and found too few free seats.
       */
      found_no_seats: number;
      /**
       * Format: int64
       * @description Closed the page while they waited.
       */
      gave_up: number;
      /**
       * Format: int64
       * @description Were late: the slot, the grace or the sale had ended.
       */
      late: number;
      /**
       * Format: int64
       * @description Left the queue, or the sale without a hold.
       */
      left: number;
      /**
       * Format: int64
       * @description Held seats and did not pay.
       */
      never_paid: number;
      /**
       * Format: int64
       * @description Found everything sold while they waited, or when they came.
       */
      sold_out: number;
    };
    /**
     * @description The order of admission.
     * @enum {string}
     */
    EntryOrder: 'FIFO' | 'DRAW';
    /** @description An erasure of one person. */
    Erasure: {
      /**
       * @description Whether the person gives up paid seats of concerts to come, and their balance. Nobody can use
       *     either afterwards.
       */
      give_up_entitlements: boolean;
      /** @description Why, for the audit; 1 to 500 characters. Do not name the person in it. */
      reason: string;
    };
    /** @description The sales report of one schedule. */
    EventReport: {
      /**
       * Format: date-time
       * @description When the figures were computed. All of them describe this moment.
       */
      computed_at: string;
      /**
       * Format: date-time
       * @description When the doors open.
       */
      concert_at: string;
      /** @description Id of its concert. */
      concert_id: components['schemas']['ConcertId'];
      /** @description Figures per interval, in order of time. Intervals without events are left out. */
      course: components['schemas']['Part'][];
      /**
       * Format: date-time
       * @description When the sale closes or closed.
       */
      deadline_at: string;
      /** @description The order of admission. */
      entry_order: components['schemas']['EntryOrder'];
      /**
       * Format: int64
       * @description Length of each interval in `course`, in seconds.
       */
      interval_seconds: number;
      /** @description Figures of the queue. */
      line: components['schemas']['LineReport'];
      no_prediction?: components['schemas']['NoPrediction'] | null;
      people?: components['schemas']['PeopleReport'] | null;
      prediction?: components['schemas']['Prediction'] | null;
      /**
       * Format: date-time
       * @description When the queue opened.
       */
      queue_opens_at: string;
      queued?: components['schemas']['QueuedWaits'] | null;
      /** @description Refused payments by reason, the most frequent first. */
      refused_payments: components['schemas']['PaymentRefusals'][];
      /** @description Rejected joins and holds by reason, the most frequent first. */
      rejections: components['schemas']['RejectionCount'][];
      /**
       * Format: date-time
       * @description When the sale opens or opened.
       */
      reservation_available_at: string;
      /** @description Figures of seats and payments. */
      sales: components['schemas']['SalesReport'];
      /** @description Id of the schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /** @description Figures of seats and payments by section, in order of seat numbers. */
      sections: components['schemas']['SectionReport'][];
      /**
       * Format: date-time
       * @description When this answer was made.
       */
      server_time: string;
      /**
       * @description Whether the figures are final: the sale was over when they were computed, and no queue entry
       *     and no hold was open. Buyers' refunds
       *     end with the sale; a refund by staff after it changes the figures, which are then final again.
       */
      settled: boolean;
      /**
       * Format: double
       * @description From the opening to the last payment, in seconds, if all seats are sold. Otherwise null.
       */
      sold_out_seconds?: number | null;
      /** @description Title of the concert. */
      title: string;
      /**
       * @deprecated
       * @description The former name of `rejections`.
       */
      turned_away: components['schemas']['RejectionCount'][];
      /** @description Whether newer figures or the prediction are being computed. They are in a later answer. */
      updating: boolean;
      /** @description Waits from joining to the first admission. */
      waits: components['schemas']['Waits'];
      /** @description Waits by order of joining: ten groups of equal size, or as many as there are entries. */
      waits_by_joining: components['schemas']['JoinGroup'][];
      /** @description The same waits, but counted from the opening of the sale for entries that joined before it. */
      waits_from_opening: components['schemas']['Waits'];
    };
    /**
     * @description The type of an event.
     * @enum {string}
     */
    EventType:
      | 'reservation.held'
      | 'reservation.completed'
      | 'reservation.expired'
      | 'reservation.cancelled'
      | 'reservation.refunded'
      | 'reservation.moved'
      | 'reservation.given'
      | 'reservation.revoked'
      | 'schedule.opened'
      | 'schedule.sold_out'
      | 'schedule.closed'
      | 'queue.admitted'
      | 'user.erased'
      | 'alert.begun'
      | 'alert.ended'
      | 'webhook.test';
    /** @description What a higher limit would change. */
    Faster: {
      /**
       * Format: double
       * @description Expected admissions per second.
       */
      admit_per_second: number;
      /**
       * Format: date-time
       * @description When the last seat would be sold, if the people who wait suffice for that. Null otherwise.
       */
      sell_out_at?: string | null;
      /** @description The setting: `capacity` or `admit_per_second`. */
      setting: string;
      /**
       * Format: int64
       * @description Its new value: at most twice the present one, and not beyond the point where the other
       *     setting becomes the limit.
       */
      value: number;
    };
    /** @description A change of the feed. */
    FeedChange: {
      /** @description Whether the feed is on. */
      enabled: boolean;
    };
    /** @description An event, as in a webhook message. */
    FeedEvent: {
      /** @description Data of the event. Its form depends on the type. */
      data: Record<string, unknown>;
      /** @description Id of the event: the header `webhook-id` of its message. */
      id: string;
      /**
       * Format: date-time
       * @description When the event occurred.
       */
      timestamp: string;
      /** @description Type of the event, such as `reservation.held`. */
      type: string;
    };
    /** @description Events in the order of the feed. */
    FeedPage: {
      /** @description Whether there are more events now. */
      has_more: boolean;
      /** @description The events. */
      items: components['schemas']['FeedEvent'][];
      /** @description The value of `?after=` for the next call; the same as in this call if there is no new event. */
      next_after: string;
    };
    /** @description Whether the feed is on. */
    FeedState: {
      /** @description Whether the feed is on. */
      enabled: boolean;
      /**
       * Format: date-time
       * @description Since when events are recorded without a gap, for the feed or for webhooks. Null: they are
       *     not recorded.
       */
      recorded_since?: string | null;
    };
    /** @description One error in a request. */
    FieldError: {
      /** @description What is wrong with it, in words. */
      detail: string;
      /**
       * @description The wrong field: a JSON Pointer into the body (`/sections/0/rows`), or `/` and the name of a
       *     query parameter or header.
       */
      pointer: string;
    };
    /** @description One line of a report. */
    Finding: {
      /** @description What to do. Null if all is well. */
      advice?: string | null;
      /** @description Stable code of what was found: the name and the case, such as `redis.memory.short`. */
      code: string;
      /** @description How good or bad it is. */
      level: components['schemas']['Level'];
      /** @description Stable name of the check: a part and what is checked, such as `redis.memory`. */
      name: string;
      /** @description What was found. */
      text: string;
      /** @description The figures in `text`, for texts in other languages. */
      values: Record<string, unknown>;
    };
    /** @description One seat that a guest got. */
    GivenSeat: {
      /** @description Id of the reservation. */
      id: components['schemas']['ReservationId'];
      /** @description Id of the seat. */
      seat_id: components['schemas']['SeatId'];
      /**
       * Format: int32
       * @description Its number.
       */
      seat_number: number;
    };
    /** @description Seats that a guest got. */
    GivenSeats: {
      /**
       * Format: date-time
       * @description When they were given.
       */
      given_at: string;
      /** @description The guest. */
      guest: components['schemas']['Person'];
      /**
       * Format: uuid
       * @description Id of the hold that the reservations share.
       */
      hold_id: string;
      /** @description One for each seat. */
      reservations: components['schemas']['GivenSeat'][];
      /** @description The schedule. */
      schedule_id: components['schemas']['ScheduleId'];
    };
    /** @description Seats to give: either to a new guest by `name`, or to the user `user_id`. */
    Giving: {
      /** @description Name of a guest without an account. A user is created for it, who cannot sign in. */
      name?: string;
      /** @description Why, for the audit and for the list. */
      reason: string;
      /** @description Ids of the seats. They are free or blocked. */
      seat_ids: number[];
      /**
       * Format: int64
       * @description Id of a user who gets the seats.
       */
      user_id?: number;
    };
    /** @description One entry of the guest list. */
    GuestSeat: {
      /**
       * Format: date-time
       * @description When it was given.
       */
      given_at: string;
      /** @description Who gave it. */
      given_by: components['schemas']['Person'];
      /** @description The guest. */
      guest: components['schemas']['Person'];
      /**
       * Format: uuid
       * @description Id of its hold.
       */
      hold_id: string;
      /** @description Why it was given. */
      reason: string;
      /** @description Id of the reservation. */
      reservation_id: components['schemas']['ReservationId'];
      /**
       * Format: date-time
       * @description When it was taken back; null while the guest has it.
       */
      revoked_at?: string | null;
      /** @description The seat. */
      seat: components['schemas']['NamedSeat'];
      /** @description The seat was blocked before. */
      was_blocked: boolean;
    };
    /** @description A hand-off code. */
    HandOffCode: {
      /** @description The code. It works once. */
      code: string;
      /**
       * Format: date-time
       * @description When the code expires, two minutes from now.
       */
      expires_at: string;
      /**
       * Format: date-time
       * @description The server's time, for a countdown.
       */
      server_time: string;
    };
    /** @description Health of the answering process and its stores. */
    Health: {
      /**
       * Format: int32
       * @description Open connections to PostgreSQL.
       */
      connections: number;
      /**
       * Format: int32
       * @description Idle connections among them.
       */
      connections_idle: number;
      /** @description Whether `onsale drill` may cause failures here (`ONSALE_ALLOW_DRILL`). */
      drill_allowed: boolean;
      /** @description The loops that have run at least once, in order of name. */
      loops: components['schemas']['LoopHealth'][];
      /**
       * Format: int64
       * @description Changes that Redis refused too often. They need an operator.
       */
      outbox_parked: number;
      /**
       * Format: int64
       * @description Changes that were waiting to be applied in Redis when the relay last looked. Changes of the
       *     last moment do not count.
       */
      outbox_waiting: number;
      /**
       * Format: date-time
       * @description Server time of this answer.
       */
      server_time: string;
      /** @description The two stores, checked for this answer. */
      stores: components['schemas']['StoreHealth'][];
      /** @description Version of onsale. */
      version: string;
      /** @description True if both stores answer, and no loop is late or failed in its last run. */
      well: boolean;
    };
    /**
     * @description The history of a sale. The value `n` of each series is that of the `step` seconds from
     *     `from + n × step` on; null where nothing was recorded.
     */
    History: {
      /**
       * Format: date-time
       * @description Begin of the first value.
       */
      from: string;
      /** @description What changed, in order of time. At most 500, the latest. */
      markers: components['schemas']['Marker'][];
      /**
       * Format: date-time
       * @description When the last reading was written. Null if there is none in the time asked for.
       */
      recorded_until?: string | null;
      /** @description The series. */
      series: components['schemas']['Series'];
      /**
       * Format: date-time
       * @description Server time of this answer.
       */
      server_time: string;
      /**
       * Format: int32
       * @description Seconds between two values.
       */
      step: number;
      /**
       * Format: date-time
       * @description End of the last value.
       */
      until: string;
    };
    /** @description One event. Members that do not apply are null. */
    HistoryEvent: {
      admin?: components['schemas']['Person'] | null;
      /**
       * Format: int64
       * @description Amount in points; of a payment that took points, negative.
       */
      amount?: number | null;
      /**
       * Format: date-time
       * @description When it happened. Queue entries are archived about a second later.
       */
      at: string;
      /**
       * Format: int64
       * @description The balance afterwards.
       */
      balance_after?: number | null;
      /** @description `action`, `before` and `after` of an audit entry. */
      detail?: Record<string, unknown> | null;
      /**
       * Format: uuid
       * @description Id of the hold.
       */
      hold_id?: string | null;
      /** @description What happened. */
      kind: components['schemas']['HistoryKind'];
      payment_id?: components['schemas']['PaymentId'] | null;
      /** @description Why. */
      reason?: string | null;
      reservation_id?: components['schemas']['ReservationId'] | null;
      schedule_id?: components['schemas']['ScheduleId'] | null;
      seat?: components['schemas']['NamedSeat'] | null;
      sequence?: components['schemas']['Sequence'] | null;
      /**
       * Format: uuid
       * @description The ticket id.
       */
      ticket_id?: string | null;
      to_seat?: components['schemas']['NamedSeat'] | null;
      user?: components['schemas']['Person'] | null;
    };
    /**
     * @description What happened.
     * @enum {string}
     */
    HistoryKind:
      | 'JOINED'
      | 'ADMITTED'
      | 'ENTRY_COMPLETED'
      | 'ENTRY_EXPIRED'
      | 'ENTRY_LEFT'
      | 'HELD'
      | 'PAID'
      | 'EXPIRED'
      | 'RELEASED'
      | 'REFUNDED'
      | 'CHARGED'
      | 'POINTS_TAKEN'
      | 'POINTS_RETURNED'
      | 'BOX_OFFICE_REFUND'
      | 'MOVED'
      | 'GIVEN'
      | 'REVOKED'
      | 'PLACE_REISSUED'
      | 'CODE_REISSUED'
      | 'BLOCKED'
      | 'UNBLOCKED'
      | 'AUDIT';
    /** @description Seats held by one request. This is also the answer that is stored under its idempotency key. */
    Hold: {
      /**
       * Format: date-time
       * @description When the time to pay ends.
       */
      expires_at: string;
      /**
       * Format: uuid
       * @description Id of the hold.
       */
      hold_id: string;
      /** @description One reservation for each seat. */
      reservations: components['schemas']['Reservation'][];
      /**
       * Format: date-time
       * @description Server time of this answer. Countdowns should use it as the current time.
       */
      server_time: string;
      /**
       * Format: int64
       * @description Sum of the prices, in points.
       */
      total_amount: number;
    };
    /** @description The seats to hold: either `seat_ids` or `quantity`. */
    HoldBody: {
      /** @description With `quantity`: no seats in these price ranges, each `[low, high]`. */
      exclude_prices?: number[][] | null;
      /**
       * Format: int64
       * @description With `quantity`: only seats with at most this price, in points.
       */
      max_price?: number | null;
      /** @description Number of seats. The server chooses the best available ones, adjacent if possible. */
      quantity?: number | null;
      /** @description Ids of the seats, each once. All are held or none. */
      seat_ids?: components['schemas']['SeatId'][] | null;
      /** @description With `quantity`: only seats in this section. */
      section?: string | null;
    };
    /** @description A hold with its status. */
    HoldView: components['schemas']['Hold'] & {
      /** @description Status of the whole hold. */
      status: components['schemas']['ReservationStatus'];
    };
    /** @description The queue settings that an administrator changes during a sale, as Redis applies them now. */
    InForce: {
      /** @description Where this limit comes from. */
      admission_mode: components['schemas']['AdmissionMode'];
      /**
       * Format: int64
       * @description Limit of admissions per second. With the mode AUTO, the automatic rate.
       */
      admit_per_second: number;
      /**
       * Format: int64
       * @description Limit of active slots at a time.
       */
      capacity: number;
      /** @description Message shown to waiting users. */
      message?: string | null;
      /** @description Whether admission is paused. */
      paused: boolean;
    };
    /** @description Long work of an operator. */
    Job: {
      /** @description Whether it can be cancelled now. */
      cancellable: boolean;
      /**
       * Format: date-time
       * @description When it was asked for.
       */
      created_at: string;
      /**
       * Format: int64
       * @description Number of items done so far.
       */
      done: number;
      /** @description Code of the last failure; null if the last page succeeded. */
      error?: string | null;
      /**
       * Format: int32
       * @description Failures since the last page that succeeded. It is tried again while it is `RUNNING`.
       */
      failures: number;
      /** @description Sums of what was done. The members depend on the kind. */
      figures: Record<string, unknown>;
      /**
       * Format: date-time
       * @description When it was done, given up or cancelled.
       */
      finished_at?: string | null;
      /** @description Id of the job. Newer jobs have higher ids. */
      id: components['schemas']['JobId'];
      /** @description What it does: `REFUND_SCHEDULE` or `ERASE_USER`. */
      kind: string;
      /** @description What was asked for. */
      parameters: Record<string, unknown>;
      /** @description The administrator who asked for it. */
      requested_by: components['schemas']['UserId'];
      /** @description Name of that administrator. */
      requested_by_name: string;
      schedule_id?: components['schemas']['ScheduleId'] | null;
      /**
       * Format: date-time
       * @description When its first page began.
       */
      started_at?: string | null;
      /** @description State of the job. */
      state: components['schemas']['JobState'];
      /**
       * Format: int64
       * @description Number of items, as counted when it was asked for; null if unknown. More may be done.
       */
      total?: number | null;
      user_id?: components['schemas']['UserId'] | null;
    };
    /**
     * Format: int64
     * @description The id of a job: long work of an operator.
     */
    JobId: number;
    /**
     * @description State of a job.
     * @enum {string}
     */
    JobState: 'PENDING' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED';
    /** @description Waits of the entries that joined one after the other: a tenth of all entries. */
    JoinGroup: {
      /**
       * Format: int64
       * @description Those that were admitted. The waits are theirs.
       */
      admitted: number;
      /**
       * Format: int64
       * @description Entries in this group.
       */
      joined: number;
      /**
       * Format: date-time
       * @description When the first of them joined, to ten seconds.
       */
      joined_from: string;
      /**
       * Format: double
       * @description Median of the waits from the opening, for entries that joined before it, in seconds.
       */
      median_from_opening_seconds?: number | null;
      /**
       * Format: double
       * @description Median of the waits from joining, in seconds. Null if none was admitted.
       */
      median_seconds?: number | null;
      /**
       * Format: double
       * @description 95th percentile of the same.
       */
      p95_from_opening_seconds?: number | null;
      /**
       * Format: double
       * @description 95th percentile of the waits from joining, in seconds.
       */
      p95_seconds?: number | null;
    };
    /**
     * @description Why a balance changed.
     * @enum {string}
     */
    Kind: 'CHARGE' | 'PAYMENT' | 'REFUND';
    /**
     * @description How good or bad a finding is.
     * @enum {string}
     */
    Level: 'ok' | 'warning' | 'failure';
    /** @description Queue entries by outcome. These figures lag behind the queue by about a second. */
    LineReport: {
      /**
       * Format: int64
       * @description Entries that were admitted at least once.
       */
      admitted: number;
      /**
       * Format: int64
       * @description Entries that a payment completed.
       */
      completed: number;
      /**
       * Format: int64
       * @description Entries that were admitted, and expired without a payment.
       */
      expired_inside: number;
      /**
       * Format: int64
       * @description Entries that were never admitted: passed over and not back within the return grace, or still
       *     waiting when the sale ended.
       */
      expired_waiting: number;
      /**
       * Format: int64
       * @description Active slots now.
       */
      inside: number;
      /**
       * Format: int64
       * @description Queue entries created.
       */
      joined: number;
      /**
       * Format: int64
       * @description Entries whose owner left after admission.
       */
      left_inside: number;
      /**
       * Format: int64
       * @description Entries whose owner left before admission.
       */
      left_waiting: number;
      /**
       * Format: double
       * @description Longest wait of an entry that was never admitted, until its end or until now, in seconds.
       */
      longest_in_vain_seconds?: number | null;
      /**
       * Format: int64
       * @description Different users among them.
       */
      people: number;
      /**
       * Format: int64
       * @description Entries that wait now.
       */
      waiting: number;
    };
    /** @description Last run of one background loop of the answering process. */
    LoopHealth: {
      /**
       * Format: int64
       * @description Time between two runs while the loop has no work, in milliseconds.
       */
      every_ms: number;
      /** @description Whether the last run failed. The log has the reason. */
      failed: boolean;
      /**
       * Format: date-time
       * @description When the last run ended.
       */
      last_run_at: string;
      /** @description Whether the next run is overdue. */
      late: boolean;
      /** @description Name of the loop, such as `admission`. */
      name: string;
      /**
       * Format: double
       * @description Duration of the last run, in milliseconds.
       */
      took_ms: number;
    };
    /** @description A seat with its state. */
    MapSeat: {
      id: components['schemas']['SeatId'];
      row: string;
      /** Format: int32 */
      seat_number: number;
      /**
       * Format: int64
       * @description Price in points.
       */
      seat_price: number;
      section: string;
      status: components['schemas']['SeatStatus'];
    };
    /** @description Something that changed in a sale. */
    Marker: {
      /** @description The action in the audit, such as `queue.change`. Null if nobody changed it. */
      action?: string | null;
      /** @description The changed members after. Null if they are not recorded. */
      after?: Record<string, unknown> | null;
      /**
       * Format: date-time
       * @description When it changed. Changes that the readings show are exact to their step.
       */
      at: string;
      /** @description The changed members before. Null if they are not recorded. */
      before?: Record<string, unknown> | null;
      /** @description Name of the administrator who changed it. Null if nobody did. */
      by?: string | null;
      /**
       * Format: int64
       * @description The epoch after a rebuild. Null otherwise.
       */
      epoch?: number | null;
      /** @description What changed. */
      kind: components['schemas']['MarkerKind'];
    };
    /**
     * @description What a marker is about.
     * @enum {string}
     */
    MarkerKind:
      | 'OPENED'
      | 'SOLD_OUT'
      | 'REOPENED'
      | 'CLOSED'
      | 'DRAWN'
      | 'RECOVERING'
      | 'REBUILT'
      | 'REPAIRED'
      | 'PAUSED'
      | 'RESUMED'
      | 'MESSAGE'
      | 'CHANGED';
    /**
     * @description By what something was found.
     * @enum {string}
     */
    MatchedBy: 'USER' | 'NAME' | 'RESERVATION' | 'PAYMENT' | 'HOLD' | 'TICKET' | 'SEAT';
    /** @description When people came, as measured. The simulation spreads them by these figures. */
    MeasuredArrivals: {
      /**
       * Format: double
       * @description From the first of these to the opening, in seconds.
       */
      early_seconds: number;
      /**
       * Format: double
       * @description Share of the queue entries that were created before the opening.
       */
      early_share: number;
      /**
       * Format: double
       * @description Time after the opening within which 19 of 20 of the others were created, in seconds.
       */
      late_seconds: number;
    };
    /** @description A cost that was never measured, and what the plan does instead. */
    MissingCost: {
      /** @description What the plan does instead. */
      instead: string;
      /** @description The cost. */
      what: string;
    };
    /** @description A reservation with its new seat. */
    MovedReservation: {
      /** @description Id of the seat that was left. */
      from_seat_id: components['schemas']['SeatId'];
      /**
       * Format: int32
       * @description Its number.
       */
      from_seat_number: number;
      /**
       * Format: uuid
       * @description Id of its hold.
       */
      hold_id: string;
      /** @description Id of the reservation, which stays the same. */
      reservation_id: components['schemas']['ReservationId'];
      /** @description Its schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /** @description Id of the new seat. */
      seat_id: components['schemas']['SeatId'];
      /**
       * Format: int32
       * @description Its number.
       */
      seat_number: number;
      /** @description The buyer. */
      user_id: components['schemas']['UserId'];
    };
    /** @description A move to another seat of the same price in the same schedule. */
    Moving: {
      /** @description Block the seat that is left, for example because it is broken. */
      block?: boolean;
      /** @description Why, for the audit and for the buyer's history. */
      reason: string;
      /**
       * Format: int64
       * @description Id of the new seat. It must be free.
       */
      seat_id: number;
    };
    /** @description A seat with its place in the house. */
    NamedSeat: {
      /** @description Id of the seat. */
      id: components['schemas']['SeatId'];
      /** @description Name of the row. */
      row: string;
      /** @description Its schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /**
       * Format: int32
       * @description Number of the seat in its schedule.
       */
      seat_number: number;
      /** @description Name of the section. */
      section: string;
    };
    /** @description Processes, cores, memory and bandwidth. */
    Needs: {
      /**
       * Format: double
       * @description Bits per second of the public board that the CDN sends.
       */
      cdn_bits: number;
      /**
       * Format: double
       * @description Cores of all processes that the load uses at the peak.
       */
      onsale_cores: number;
      /**
       * Format: double
       * @description The same, if clients far from the front read the public board at a CDN.
       */
      onsale_cores_with_cdn: number;
      /**
       * Format: double
       * @description Cores of PostgreSQL that the load uses at the peak.
       */
      postgresql_cores: number;
      /**
       * Format: double
       * @description Rows of the queue's archive per second, in batches.
       */
      postgresql_queue_rows: number;
      /**
       * Format: double
       * @description Transactions of holds and payments per second.
       */
      postgresql_transactions: number;
      /**
       * Format: int64
       * @description Processes, each on a machine of its own.
       */
      processes: number;
      /**
       * Format: int64
       * @description The same, if clients far from the front read the public board at a CDN.
       */
      processes_with_cdn: number;
      /**
       * Format: int64
       * @description `maxmemory` of Redis, in bytes: enough for `onsale check --expect`.
       */
      redis_bytes: number;
      /**
       * Format: double
       * @description Cores of Redis that the load uses at the peak. One sale uses one thread.
       */
      redis_cores: number;
      /**
       * Format: int64
       * @description Memory of Redis for the people in the queue, as measured, in bytes.
       */
      redis_waiting_bytes: number;
      /**
       * Format: double
       * @description Bits per second that the processes send at the peak, without pages.
       */
      sent_bits: number;
      /**
       * Format: double
       * @description The same, if clients far from the front read the public board at a CDN.
       */
      sent_bits_with_cdn: number;
      /**
       * Format: double
       * @description Memory of all processes for these streams, in bytes.
       */
      stream_bytes: number;
      /**
       * Format: double
       * @description Cores of all processes, if each waiting client has a stream in place of polls.
       */
      stream_cores: number;
    };
    /** @description A concert to create. */
    NewConcert: {
      /** @description Description, up to 10,000 characters. */
      description?: string;
      /** @description True to create a draft, which only administrators see until it is published. */
      draft?: boolean;
      /** @description Whether the concert is on sale at all. Default: AVAILABLE. */
      status?: components['schemas']['ConcertStatus'];
      /** @description Title, 1 to 200 characters. */
      title: string;
    };
    NewRecoveryCode: {
      /**
       * @description The code: 24 letters and digits in six groups. The server stores only its hash, so this is
       *     the only time it is shown.
       */
      code: string;
      /** Format: date-time */
      created_at: string;
    };
    /** @description A schedule to create. */
    NewSchedule: {
      /**
       * Format: date-time
       * @description When the doors open.
       */
      concert_at: string;
      /**
       * Format: date-time
       * @description When the sale closes.
       */
      deadline_at: string;
      /** @description True to create a draft, which only administrators see until it is published. */
      draft?: boolean;
      /** @description Queue settings that differ from the defaults. */
      queue?: components['schemas']['QueueChange'];
      /**
       * Format: date-time
       * @description When the sale opens.
       */
      reservation_available_at: string;
    };
    /** @description One seat to add. */
    NewSeat: {
      /** @description Name of the row, such as `1` or `AA`. */
      row: string;
      /**
       * Format: int32
       * @description Number of the seat. Numbers are 1..n in a schedule, without a gap.
       */
      seat_number: number;
      /**
       * Format: int64
       * @description Price of a seat, in points.
       */
      seat_price: number;
      /** @description Name of the section, such as `A` or `Balcony`. */
      section: string;
    };
    /** @description Seats to add: either `sections` or `seats`. */
    NewSeats: {
      /** @description Single seats, in any order. Their numbers continue from the last seat without a gap. */
      seats?: components['schemas']['NewSeat'][];
      /** @description Whole sections. Their seats get numbers in this order, row by row, from the last seat on. */
      sections?: components['schemas']['NewSection'][];
    };
    /** @description A section whose rows all have the same length. Its rows are named 1, 2, …. */
    NewSection: {
      /** @description Name, such as `A` or `Balcony`. */
      name: string;
      /**
       * Format: int32
       * @description Number of rows.
       */
      rows: number;
      /**
       * Format: int64
       * @description Price of a seat, in points.
       */
      seat_price: number;
      /**
       * Format: int32
       * @description Number of seats in each row.
       */
      seats_per_row: number;
    };
    NewUser: {
      /** @description Name, 1 to 100 characters. Spaces around it are removed. */
      name: string;
    };
    /** @description A user, and the first access token of a new session. */
    NewUserAnswer: {
      /** @description Access token (a JWT). Send it as `Authorization: Bearer`. */
      access_token: string;
      /** Format: date-time */
      expires_at: string;
      id: components['schemas']['UserId'];
      name: string;
    };
    /** @description An endpoint to create. */
    NewWebhook: {
      /** @description Note for administrators, up to 500 characters. */
      description?: string;
      /** @description Whether messages are signed with an Ed25519 key too. */
      ed25519?: boolean;
      /** @description Types of events that it gets. Empty or absent: all. */
      types?: components['schemas']['EventType'][];
      /**
       * @description URL to which messages are posted: https, without user name, password or fragment. http and
       *     private addresses only as far as `ONSALE_WEBHOOK_ALLOW` allows.
       */
      url: string;
    };
    /** @description An entry near the front of the queue. */
    NextEntry: {
      /** @description The entry was passed over and has returned: it is admitted before all others. */
      back: boolean;
      /**
       * @description The entry is present in Redis: it polled within the presence window. Absent entries are
       *     passed over.
       */
      here: boolean;
      /** @description The sequence. */
      sequence: components['schemas']['Sequence'];
      /** @description The user's id. */
      user: components['schemas']['UserId'];
    };
    /** @description The front of the queue, as Redis has it now. */
    NextInQueue: {
      blocked_by?: components['schemas']['AdmissionBlock'] | null;
      /** @description Up to 20 entries, in the order of admission. Empty before the draw. */
      next: components['schemas']['NextEntry'][];
      /**
       * Format: int64
       * @description Number of free active slots.
       */
      room: number;
      /**
       * Format: date-time
       * @description The server's time of this answer.
       */
      server_time: string;
      still?: components['schemas']['AdmissionBlock'] | null;
      /**
       * Format: date-time
       * @description When that ends by itself: the opening, the end of the pause after a loss, or the end of the
       *     first slot. Null if it does not end by itself.
       */
      until?: string | null;
    };
    /**
     * @description Why there is no prediction.
     * @enum {string}
     */
    NoPrediction: 'sale_running' | 'no_people' | 'no_seats' | 'no_admission' | 'simulating' | 'too_long' | 'failed';
    /**
     * @description A reason why the sale of a schedule would be impossible.
     * @enum {string}
     */
    Obstacle: 'concert_is_draft' | 'concert_unavailable' | 'no_seats' | 'all_seats_blocked' | 'sale_is_over' | 'no_capacity';
    /** @description The user of the queue entry. */
    Owner: {
      id: components['schemas']['UserId'];
      name: string;
    };
    /** @description Why admission goes as it goes, with the figures of the sentence. */
    Pace: {
      auto?: components['schemas']['AutoRate'] | null;
      /** @description Name of the administrator who paused admission. Null if nobody has. */
      by?: string | null;
      faster?: components['schemas']['Faster'] | null;
      /**
       * Format: double
       * @description Admissions per second over the last 30 s. Null while unknown, and if there were none.
       */
      measured_per_second?: number | null;
      /**
       * Format: int64
       * @description Expected seconds until the first in the queue is admitted, by the same estimate as
       *     `eta_seconds`. Null while unknown, and if nobody is admitted.
       */
      next_seconds?: number | null;
      /** @description The reason. */
      reason: components['schemas']['PaceReason'];
      sell_out?: components['schemas']['SellOut'] | null;
      /**
       * Format: int64
       * @description Admissions per second that are set.
       */
      set_per_second: number;
      /**
       * Format: date-time
       * @description Since when it is so: the pause, or the last reading before Redis stopped to answer. Null if
       *     that is not recorded.
       */
      since?: string | null;
      /**
       * Format: date-time
       * @description When it ends by itself: the opening, or the end of the pause after a loss. Null otherwise.
       */
      until?: string | null;
    };
    /**
     * @description Why admission goes as it goes. If several fit, the first in this order applies.
     * @enum {string}
     */
    PaceReason:
      | 'RECOVERING'
      | 'REDIS_UNAVAILABLE'
      | 'WITHDRAWN'
      | 'CLOSED'
      | 'NO_SEATS'
      | 'UPCOMING'
      | 'PAUSED'
      | 'SOLD_OUT'
      | 'DRAW'
      | 'NO_CAPACITY'
      | 'EMPTY'
      | 'RATE'
      | 'CAPACITY'
      | 'PRESENCE'
      | 'STARTING'
      | 'STALLED'
      | 'RUNNING';
    /** @description One page of a list. */
    Page_AdminConcert: {
      /** @description The items of this page. */
      items: {
        /** @description Description, up to 10,000 characters. */
        description: string;
        /** @description It is not published: only administrators see it and its schedules. */
        draft: boolean;
        /** @description Id of the concert. */
        id: components['schemas']['ConcertId'];
        /** @description Its removal has begun. It can no longer be changed. */
        removing: boolean;
        /** @description Whether the concert is on sale at all. */
        status: components['schemas']['ConcertStatus'];
        /** @description Title, 1 to 200 characters. */
        title: string;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_AdminSchedule: {
      /** @description The items of this page. */
      items: (components['schemas']['ScheduleView'] & {
        /** @description Its concert is not published, so neither is it. */
        concert_draft: boolean;
        /** @description It is not published: only administrators see it. */
        draft: boolean;
        /** @description Its removal has begun. It can no longer be changed. */
        removing: boolean;
      })[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_Alert: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: date-time
         * @description When it began.
         */
        begun_at: string;
        /** @description The figures at its begin. */
        detail: Record<string, unknown>;
        /**
         * Format: date-time
         * @description When it ended. Null while it lasts.
         */
        ended_at?: string | null;
        /**
         * Format: int64
         * @description Id of the alert. Newer alerts have higher ids.
         */
        id: number;
        /** @description What it is about. Later releases may add kinds. */
        kind: components['schemas']['AlertKind'];
        schedule_id?: components['schemas']['ScheduleId'] | null;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_AuditEntry: {
      /** @description The items of this page. */
      items: {
        /** @description The action, such as `queue.change`. */
        action: string;
        /** @description Id of the administrator. */
        admin: components['schemas']['UserId'];
        /** @description Name of the administrator. */
        admin_name: string;
        /** @description State after the change. */
        after?: Record<string, unknown> | null;
        /** @description State before the change. Null for a creation. */
        before?: Record<string, unknown> | null;
        /**
         * Format: date-time
         * @description When the change was made.
         */
        created_at: string;
        /**
         * Format: int64
         * @description Id of the entry. Newer entries have higher ids.
         */
        id: number;
        /** @description What was changed, such as `schedule 7`. */
        subject: string;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_BuyerEntry: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: date-time
         * @description When it was first admitted.
         */
        admitted_at?: string | null;
        /**
         * Format: date-time
         * @description When it ended.
         */
        ended_at?: string | null;
        /**
         * Format: date-time
         * @description When it joined.
         */
        joined_at: string;
        /** @description The schedule. */
        schedule_id: components['schemas']['ScheduleId'];
        /** @description Its sequence when it joined. */
        sequence: components['schemas']['Sequence'];
        /** @description Status of the entry. */
        status: components['schemas']['TicketStatus'];
        /**
         * Format: uuid
         * @description The ticket id.
         */
        ticket_id: string;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_BuyerReservation: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: int64
         * @description Price of the seat when it was held, in points.
         */
        amount: number;
        /**
         * Format: date-time
         * @description When the time to pay ends or ended.
         */
        expires_at: string;
        /** @description Given to a guest for free. */
        guest: boolean;
        /**
         * Format: uuid
         * @description Id of the hold. Seats held by one request share it.
         */
        hold_id: string;
        /** @description Id of the reservation. */
        id: components['schemas']['ReservationId'];
        payment_id?: components['schemas']['PaymentId'] | null;
        payment_status?: components['schemas']['PaymentStatus'] | null;
        /**
         * Format: date-time
         * @description When the seat was held or given.
         */
        reservation_at: string;
        /** @description The seat. */
        seat: components['schemas']['NamedSeat'];
        /** @description Status of the reservation. */
        status: components['schemas']['ReservationStatus'];
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_Change: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: int64
         * @description Change in points. Negative for a payment.
         */
        amount: number;
        /**
         * Format: int64
         * @description Balance after the change, in points.
         */
        balance_after: number;
        /**
         * Format: date-time
         * @description When the change was made.
         */
        created_at: string;
        /**
         * Format: int64
         * @description Id of the change. Newer changes have higher ids.
         */
        id: number;
        /** @description Why the balance changed. */
        kind: components['schemas']['Kind'];
        /** @description What caused the change: the id of a hold or payment, or the idempotency key of a charge. */
        reference: string;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_Concert: {
      /** @description The items of this page. */
      items: {
        /** @description Description, up to 10,000 characters. */
        description: string;
        /** @description Id of the concert. */
        id: components['schemas']['ConcertId'];
        /** @description Whether the concert is on sale at all. */
        status: components['schemas']['ConcertStatus'];
        /** @description Title, 1 to 200 characters. */
        title: string;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_Delivery: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: int32
         * @description Number of attempts so far.
         */
        attempts: number;
        /**
         * Format: date-time
         * @description When the next attempt is due at the latest; null unless the delivery is pending.
         */
        due_at?: string | null;
        /**
         * Format: date-time
         * @description When it was delivered or given up; null while it is pending.
         */
        ended_at?: string | null;
        /** @description Id of the event: the header `webhook-id`. */
        event_id: string;
        /** @description Type of the event. */
        event_type: string;
        /**
         * Format: int64
         * @description Id of the delivery.
         */
        id: number;
        /** @description Why the last attempt failed; null if it did not. */
        last_error?: string | null;
        /**
         * Format: int32
         * @description Status of the last answer; null if there was none.
         */
        last_status?: number | null;
        /** @description Status of the delivery. */
        status: components['schemas']['DeliveryStatus'];
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_GuestSeat: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: date-time
         * @description When it was given.
         */
        given_at: string;
        /** @description Who gave it. */
        given_by: components['schemas']['Person'];
        /** @description The guest. */
        guest: components['schemas']['Person'];
        /**
         * Format: uuid
         * @description Id of its hold.
         */
        hold_id: string;
        /** @description Why it was given. */
        reason: string;
        /** @description Id of the reservation. */
        reservation_id: components['schemas']['ReservationId'];
        /**
         * Format: date-time
         * @description When it was taken back; null while the guest has it.
         */
        revoked_at?: string | null;
        /** @description The seat. */
        seat: components['schemas']['NamedSeat'];
        /** @description The seat was blocked before. */
        was_blocked: boolean;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_HistoryEvent: {
      /** @description The items of this page. */
      items: {
        admin?: components['schemas']['Person'] | null;
        /**
         * Format: int64
         * @description Amount in points; of a payment that took points, negative.
         */
        amount?: number | null;
        /**
         * Format: date-time
         * @description When it happened. Queue entries are archived about a second later.
         */
        at: string;
        /**
         * Format: int64
         * @description The balance afterwards.
         */
        balance_after?: number | null;
        /** @description `action`, `before` and `after` of an audit entry. */
        detail?: Record<string, unknown> | null;
        /**
         * Format: uuid
         * @description Id of the hold.
         */
        hold_id?: string | null;
        /** @description What happened. */
        kind: components['schemas']['HistoryKind'];
        payment_id?: components['schemas']['PaymentId'] | null;
        /** @description Why. */
        reason?: string | null;
        reservation_id?: components['schemas']['ReservationId'] | null;
        schedule_id?: components['schemas']['ScheduleId'] | null;
        seat?: components['schemas']['NamedSeat'] | null;
        sequence?: components['schemas']['Sequence'] | null;
        /**
         * Format: uuid
         * @description The ticket id.
         */
        ticket_id?: string | null;
        to_seat?: components['schemas']['NamedSeat'] | null;
        user?: components['schemas']['Person'] | null;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_Job: {
      /** @description The items of this page. */
      items: {
        /** @description Whether it can be cancelled now. */
        cancellable: boolean;
        /**
         * Format: date-time
         * @description When it was asked for.
         */
        created_at: string;
        /**
         * Format: int64
         * @description Number of items done so far.
         */
        done: number;
        /** @description Code of the last failure; null if the last page succeeded. */
        error?: string | null;
        /**
         * Format: int32
         * @description Failures since the last page that succeeded. It is tried again while it is `RUNNING`.
         */
        failures: number;
        /** @description Sums of what was done. The members depend on the kind. */
        figures: Record<string, unknown>;
        /**
         * Format: date-time
         * @description When it was done, given up or cancelled.
         */
        finished_at?: string | null;
        /** @description Id of the job. Newer jobs have higher ids. */
        id: components['schemas']['JobId'];
        /** @description What it does: `REFUND_SCHEDULE` or `ERASE_USER`. */
        kind: string;
        /** @description What was asked for. */
        parameters: Record<string, unknown>;
        /** @description The administrator who asked for it. */
        requested_by: components['schemas']['UserId'];
        /** @description Name of that administrator. */
        requested_by_name: string;
        schedule_id?: components['schemas']['ScheduleId'] | null;
        /**
         * Format: date-time
         * @description When its first page began.
         */
        started_at?: string | null;
        /** @description State of the job. */
        state: components['schemas']['JobState'];
        /**
         * Format: int64
         * @description Number of items, as counted when it was asked for; null if unknown. More may be done.
         */
        total?: number | null;
        user_id?: components['schemas']['UserId'] | null;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_Payment: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: int64
         * @description Amount in points.
         */
        amount: number;
        /** @description Id of the payment. */
        id: components['schemas']['PaymentId'];
        /**
         * Format: date-time
         * @description When the payment was made.
         */
        payment_at: string;
        /** @description Id of the reservation that was paid. */
        reservation_id: components['schemas']['ReservationId'];
        /** @description Status of the payment. */
        status: components['schemas']['PaymentStatus'];
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_Reservation: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: int64
         * @description Price of the seat when it was held, in points.
         */
        amount: number;
        /** @description Id of the concert. */
        concert_id: components['schemas']['ConcertId'];
        /**
         * Format: date-time
         * @description When the time to pay ends.
         */
        expires_at: string;
        /**
         * Format: uuid
         * @description Id of the hold. Seats held by one request share it.
         */
        hold_id: string;
        /** @description Id of the reservation. */
        id: components['schemas']['ReservationId'];
        /**
         * Format: date-time
         * @description When the seat was held.
         */
        reservation_at: string;
        /** @description Id of the schedule. */
        schedule_id: components['schemas']['ScheduleId'];
        /** @description Id of the seat. */
        seat_id: components['schemas']['SeatId'];
        /**
         * Format: int32
         * @description Number of the seat in its schedule.
         */
        seat_number: number;
        /** @description Status of the reservation. */
        status: components['schemas']['ReservationStatus'];
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_ScheduleView: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: date-time
         * @description When the doors open.
         */
        concert_at: string;
        /** @description Id of its concert. */
        concert_id: components['schemas']['ConcertId'];
        /**
         * Format: date-time
         * @description When the sale closes.
         */
        deadline_at: string;
        /** @description The order of admission. */
        entry_order: components['schemas']['EntryOrder'];
        /** @description Id of the schedule. */
        id: components['schemas']['ScheduleId'];
        /**
         * Format: int32
         * @description Limit of seats that one user may hold or own.
         */
        max_seats_per_user: number;
        /** @description Message from the operator of the sale. */
        message?: string | null;
        /** @description Phase of the sale. */
        phase: components['schemas']['Phase'];
        /** @description Each combination of section and price, in order of seat numbers. */
        prices: components['schemas']['SectionPrice'][];
        /**
         * Format: date-time
         * @description When the queue opens for joins.
         */
        queue_opens_at: string;
        /**
         * Format: date-time
         * @description When the sale opens.
         */
        reservation_available_at: string;
        /** @description Number of seats by state. */
        seats: components['schemas']['SeatCounts'];
        /**
         * Format: date-time
         * @description Server time of this answer. Countdowns should use it as the current time.
         */
        server_time: string;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description One page of a list. */
    Page_Webhook: {
      /** @description The items of this page. */
      items: {
        /**
         * Format: date-time
         * @description When it was created.
         */
        created_at: string;
        /** @description Note for administrators. */
        description: string;
        disabled_reason?: components['schemas']['DisabledReason'] | null;
        /** @description Whether it gets messages. */
        enabled: boolean;
        /** @description Id of the endpoint. */
        id: components['schemas']['WebhookId'];
        /**
         * Format: date-time
         * @description End of the rotation: until then messages are also signed with the previous secret. Null
         *     outside of a rotation.
         */
        previous_valid_until?: string | null;
        /** @description Public Ed25519 key (`whpk_…`); null if messages have no `v1a` signature. */
        public_key?: string | null;
        /** @description The signing secret (`whsec_…`): only in the answers that created it. */
        secret?: string;
        /** @description Types of events that it gets. Empty: all. */
        types: components['schemas']['EventType'][];
        /** @description URL to which messages are posted. */
        url: string;
      }[];
      /** @description The value of `?cursor=` for the next page; null on the last page. */
      next_cursor?: string | null;
    };
    /** @description Result of paying a hold. */
    Paid: {
      /**
       * Format: int64
       * @description Balance afterwards, in points.
       */
      balance: number;
      /**
       * Format: int64
       * @description Points charged for this payment. Absent if the request had no `charge_up_to`.
       */
      charged?: number | null;
      /** @description One payment for each seat. */
      payments: components['schemas']['Payment'][];
      /**
       * Format: int64
       * @description Sum of the payments, in points.
       */
      total_amount: number;
    };
    /** @description Figures of one interval of the sale's course. */
    Part: {
      /**
       * Format: int64
       * @description Queue entries admitted for the first time.
       */
      admitted: number;
      /**
       * Format: int64
       * @description Queue entries created.
       */
      joined: number;
      /**
       * Format: int64
       * @description Amount paid for them, in points.
       */
      paid: number;
      /**
       * Format: int64
       * @description Seats refunded in this interval.
       */
      refunded: number;
      /**
       * Format: int64
       * @description Rejected joins and holds.
       */
      rejections: number;
      /**
       * Format: date-time
       * @description Start of the interval.
       */
      since: string;
      /**
       * Format: int64
       * @description Seats paid for, including those refunded later.
       */
      sold: number;
      /**
       * Format: int64
       * @deprecated
       * @description The former name of `rejections`.
       */
      turned_away: number;
    };
    /** @description The hold to pay, and the limit of a charge. */
    PayBody: {
      /**
       * Format: int64
       * @description Limit of points that may be charged for this payment. The server charges exactly what the
       *     balance lacks, in the same transaction. It charges nothing if the hold is not paid.
       */
      charge_up_to?: number | null;
      /**
       * Format: uuid
       * @description Id of the hold. All its seats are paid.
       */
      hold_id: string;
    };
    /** @description The payment of one reservation. */
    Payment: {
      /**
       * Format: int64
       * @description Amount in points.
       */
      amount: number;
      /** @description Id of the payment. */
      id: components['schemas']['PaymentId'];
      /**
       * Format: date-time
       * @description When the payment was made.
       */
      payment_at: string;
      /** @description Id of the reservation that was paid. */
      reservation_id: components['schemas']['ReservationId'];
      /** @description Status of the payment. */
      status: components['schemas']['PaymentStatus'];
    };
    /**
     * Format: int64
     * @description The id of the payment of one reservation.
     */
    PaymentId: number;
    /** @description Refused payments with one reason. */
    PaymentRefusals: {
      /** @description Code of the problem: `insufficient_points`, `hold_expired` or `already_paid`. */
      reason: string;
      /**
       * Format: int64
       * @description Number of refused payments. One user can cause several, and then pay.
       */
      times: number;
    };
    /**
     * @description Status of a payment.
     * @enum {string}
     */
    PaymentStatus: 'COMPLETE' | 'REFUNDED';
    /** @description The load of a sale at its peak, per second. */
    PeakLoad: {
      /**
       * Format: double
       * @description Admissions per second.
       */
      admissions: number;
      /**
       * Format: double
       * @description Reads of the public board per second, at the CDN.
       */
      board_reads: number;
      /**
       * Format: double
       * @description Share of these requests that a CDN answers.
       */
      cdn_share: number;
      /**
       * Format: double
       * @description Joins per second.
       */
      joins: number;
      /**
       * Format: double
       * @description Polls per second after pacing, if each client polls with its ticket.
       */
      polls: number;
      /**
       * Format: double
       * @description Polls in the whole sale, in the same case.
       */
      polls_in_total: number;
      /**
       * Format: double
       * @description Polls per second of the clients near the front, if the others read the public board.
       */
      polls_near_front: number;
      /**
       * Format: double
       * @description Purchases per second.
       */
      purchases: number;
      /**
       * Format: double
       * @description Refused holds per second.
       */
      refusals: number;
      /**
       * Format: double
       * @description Seats sold per second.
       */
      seats: number;
      /**
       * Format: double
       * @description Position events per second, if each client has a stream in place of polls.
       */
      stream_events: number;
      /**
       * Format: int64
       * @description People in the queue.
       */
      waiting: number;
    };
    /** @description The people of a sale by what they did. A user with several queue entries counts once. */
    PeopleReport: {
      /** @description What became of the people who were admitted. */
      admitted: components['schemas']['AdmittedPeople'];
      /** @description Joined, admitted, held, paid. */
      steps: components['schemas']['Step'][];
    };
    /** @description One percentile of the waits: `percent` of the entries waited at most `seconds`. */
    Percentile: {
      /**
       * Format: double
       * @description Share of the entries, in percent.
       */
      percent: number;
      /**
       * Format: double
       * @description Wait in seconds.
       */
      seconds: number;
    };
    /** @description A buyer, a guest, or one of the staff. */
    Person: {
      /** @description Id of the user. */
      id: components['schemas']['UserId'];
      /** @description Name of the user. */
      name: string;
    };
    /**
     * @description Phase of a sale. If several fit, the first in this order applies.
     * @enum {string}
     */
    Phase: 'CLOSED' | 'UPCOMING' | 'PAUSED' | 'SOLD_OUT' | 'OPEN';
    /** @description What a sale needs. */
    Plan: {
      /** @description The same calculation, compared with measurements. */
      comparisons: components['schemas']['Comparison'][];
      /** @description What was asked and assumed. */
      input: components['schemas']['PlanInput'];
      /** @description The load at the peak. */
      load: components['schemas']['PeakLoad'];
      /** @description Costs that were never measured. */
      missing: components['schemas']['MissingCost'][];
      /** @description What serves this load. */
      needs: components['schemas']['Needs'];
      /** @description The settings of the schedule. */
      settings: components['schemas']['PlannedSettings'];
      /** @description What does not fit, and what to do. */
      warnings: string[];
    };
    /** @description A sale to plan, and what is assumed about its buyers and machines. */
    PlanInput: {
      /**
       * Format: double
       * @description Minutes within which the people join.
       */
      arrive_minutes: number;
      /**
       * Format: double
       * @description Minutes from admission to payment, on average.
       */
      buy_minutes: number;
      /**
       * Format: int64
       * @description The claim window, in seconds.
       */
      claim_seconds: number;
      /**
       * Format: double
       * @description Cores of the machine of a process.
       */
      cores_per_process: number;
      /**
       * Format: double
       * @description Share of the people who join before the opening.
       */
      early_share: number;
      /**
       * Format: double
       * @description Minutes from the opening within which all seats are to be sold.
       */
      minutes: number;
      /**
       * Format: int64
       * @description People who will come.
       */
      people: number;
      /**
       * Format: int32
       * @description `ONSALE_POLLS_PER_SECOND`: polls of one queue above which their intervals grow.
       */
      polls_ceiling: number;
      /**
       * Format: int64
       * @description The presence window, in seconds.
       */
      presence_seconds: number;
      /**
       * Format: double
       * @description Holds that are refused, for each purchase.
       */
      refusals_per_purchase: number;
      /**
       * Format: int64
       * @description Seats on sale.
       */
      seats: number;
      /**
       * Format: double
       * @description Seats of one purchase, on average.
       */
      seats_per_buyer: number;
      /**
       * Format: double
       * @description Share of the admitted who buy. The others hold a slot until it ends.
       */
      share_that_pays: number;
      /**
       * Format: double
       * @description Duration of a slot, in minutes (`active_ttl_seconds`).
       */
      slot_minutes: number;
      /**
       * Format: double
       * @description Share of each core that may be used at the peak.
       */
      utilization: number;
    };
    /** @description A sale to plan. Fields that are absent are those of the schedule, or the usual assumptions. */
    PlanRequest: {
      /**
       * Format: double
       * @description Minutes within which the people join. Default: 10.
       */
      arrive_minutes?: number | null;
      /**
       * Format: double
       * @description Minutes from admission to payment, on average. Default: 3.
       */
      buy_minutes?: number | null;
      /**
       * Format: double
       * @description Cores of the machine of a process. Default: 4.
       */
      cores_per_process?: number | null;
      /**
       * Format: double
       * @description Share of the people who join before the opening. Default: 0.5.
       */
      early_share?: number | null;
      /**
       * Format: double
       * @description Minutes from the opening within which all seats are to be sold. Default: 60.
       */
      minutes?: number | null;
      /**
       * Format: int64
       * @description People who will come.
       */
      people: number;
      /**
       * Format: double
       * @description Refused holds for each purchase. Default: 4.
       */
      refusals_per_purchase?: number | null;
      /**
       * Format: int64
       * @description The schedule whose seats and settings count.
       */
      schedule_id?: number | null;
      /**
       * Format: int64
       * @description Seats on sale. Needed without a schedule.
       */
      seats?: number | null;
      /**
       * Format: double
       * @description Seats of one purchase, on average. Default: 2.
       */
      seats_per_buyer?: number | null;
      /**
       * Format: double
       * @description Share of the admitted who buy. Default: 0.8.
       */
      share_that_pays?: number | null;
    };
    /** @description The settings of a schedule. */
    PlannedSettings: {
      /**
       * Format: int64
       * @description Limit of admissions per second.
       */
      admit_per_second: number;
      /**
       * Format: int64
       * @description Limit of active slots.
       */
      capacity: number;
    };
    /** @description One quantity over the time of a sale. */
    Plot: {
      /**
       * Format: double
       * @description Time of the first column, from the opening (s).
       */
      from_seconds: number;
      /** @description What is plotted. */
      name: string;
      /**
       * Format: double
       * @description Time of the last column (s).
       */
      to_seconds: number;
      /** @description The value at each time, as its range over the runs. */
      values: components['schemas']['Range'][];
    };
    /** @description The lowest, the median and the highest value of the runs. */
    PredictedRange: {
      /**
       * Format: double
       * @description The highest.
       */
      high: number;
      /**
       * Format: double
       * @description The lowest.
       */
      low: number;
      /**
       * Format: double
       * @description The median.
       */
      median: number;
    };
    /** @description Predicted percentiles of waits, in seconds. */
    PredictedWaits: {
      /** @description Half of the admitted waited at most this long. */
      p50: components['schemas']['PredictedRange'];
      /** @description Nine of ten. */
      p90: components['schemas']['PredictedRange'];
      /** @description 99 of 100. */
      p99: components['schemas']['PredictedRange'];
    };
    /**
     * @description How the sale should have gone: a simulation of people with assumed habits, and no measurement.
     *     People, seats, settings and arrivals are those of the sale.
     */
    Prediction: {
      /**
       * Format: int64
       * @description Limit of admissions per second, as it is set now.
       */
      admit_per_second: number;
      /** @description When people came. */
      arrivals: components['schemas']['MeasuredArrivals'];
      /** @description What is assumed about people. */
      assumed: components['schemas']['AssumedCrowd'];
      /**
       * Format: int64
       * @description Limit of active slots, as it is set now.
       */
      capacity: number;
      /**
       * Format: double
       * @description Time to pay for held seats, in seconds.
       */
      hold_seconds: number;
      /**
       * Format: int64
       * @description Different users who joined.
       */
      people: number;
      /**
       * Format: double
       * @description People for whom one simulated person stands.
       */
      people_per_simulated: number;
      /**
       * Format: int64
       * @description Runs of the simulation.
       */
      runs: number;
      /**
       * Format: int64
       * @description Seats that were for sale: neither blocked nor given to guests.
       */
      seats: number;
      /** @description Whether capacity or rate had other values during the sale. The simulation has one value. */
      settings_changed: boolean;
      /**
       * Format: double
       * @description Duration of a slot, in seconds.
       */
      slot_seconds: number;
      /** @description Seats sold. */
      sold: components['schemas']['PredictedRange'];
      sold_out_seconds?: components['schemas']['PredictedRange'] | null;
      /** @description Waits from joining until the notice of the admission. */
      waits: components['schemas']['PredictedWaits'];
      /** @description The same from the opening, for people who joined before it. */
      waits_from_opening: components['schemas']['PredictedWaits'];
    };
    /** @description The new price of the seats of a section, or of some of them. */
    PriceChange: {
      /** @description Only this row. */
      row?: string;
      /**
       * Format: int64
       * @description The new price, in points.
       */
      seat_price: number;
      /**
       * Format: int64
       * @description Only seats with this price.
       */
      seat_price_now?: number;
      /** @description The section. */
      section: string;
    };
    /** @description New prices of seats. If several entries name a seat, the last one applies. */
    PriceChanges: {
      /** @description The changes. */
      prices: components['schemas']['PriceChange'][];
    };
    /** @description An error answer (RFC 9457). Some codes add further members. */
    Problem: {
      /** @description The stable name of the problem, for programs. */
      code: string;
      /** @description What happened this time. */
      detail: string;
      /** @description Only with `invalid_request`: every error in the request. */
      errors?: components['schemas']['FieldError'][] | null;
      /** @description The request's id, also in the header `x-request-id`. */
      instance: string;
      /**
       * Format: int32
       * @description The status of the answer.
       */
      status: number;
      /** @description The kind in words; the same in every problem of this code. */
      title: string;
      /** @description The kind of problem: the path that explains it, `/problems/{code}`. */
      type: string;
    };
    /** @description The explanation of a problem code. */
    ProblemDescription: {
      /** @description What a client does about it. */
      action: string;
      /** @description The stable name. */
      code: string;
      /** @description An example body of such a problem. */
      example: Record<string, unknown>;
      /** @description When this problem is sent. */
      meaning: string;
      /**
       * Format: int32
       * @description The status of the answer.
       */
      status: number;
      /** @description The title; the same in every problem of this code. */
      title: string;
      /** @description The `type` of these problems: the path of this description. */
      type: string;
    };
    /** @description The explanations of all problem codes. */
    ProblemDescriptions: {
      /** @description The explanations, in order of status. */
      items: components['schemas']['ProblemDescription'][];
    };
    /** @description Live figures of a rehearsal. */
    Progress: {
      /**
       * Format: int64
       * @description Buyers who bought.
       */
      bought: number;
      /**
       * Format: int64
       * @description Buyers with an active slot, who choose or pay.
       */
      buying: number;
      /**
       * Format: int64
       * @description Buyers who have come.
       */
      came: number;
      /**
       * Format: int64
       * @description Buyers who are done.
       */
      done: number;
      /**
       * Format: int64
       * @description Answers that no client could have expected, so far.
       */
      errors: number;
      /**
       * Format: double
       * @description 99th percentile of all requests so far, in milliseconds.
       */
      p99_ms: number;
      /**
       * Format: int64
       * @description Requests so far.
       */
      requests: number;
      /**
       * Format: double
       * @description Requests of the last second.
       */
      requests_per_second: number;
      /**
       * Format: int64
       * @description Seats paid for.
       */
      seats_sold: number;
      /**
       * Format: double
       * @description Seconds since the opening of the shadow; negative before it.
       */
      seconds: number;
      /**
       * Format: int64
       * @description Buyers who wait.
       */
      waiting: number;
    };
    /** @description The public board of a schedule, at most 1 s old. */
    PublicBoard: {
      /** Format: int64 */
      active: number;
      /**
       * Format: double
       * @description Measured over the last 30 s; null while unknown.
       */
      admit_per_second?: number | null;
      /** Format: int64 */
      admitted_total: number;
      /**
       * Format: int64
       * @description Rises when the queue is rebuilt after a loss of data.
       */
      epoch: number;
      message?: string | null;
      now_serving?: components['schemas']['Sequence'] | null;
      phase: components['schemas']['Phase'];
      /** @description Clients with a lower sequence may be admitted soon and must poll with their own tickets. */
      poll_from_sequence: components['schemas']['Sequence'];
      /** @description Points of the queue: a sequence, and the number of entries before it. Empty before the draw. */
      ranks: number[][];
      /** Format: int32 */
      seats_available: number;
      /** Format: date-time */
      server_time: string;
      /** Format: int64 */
      waiting: number;
    };
    /** @description Whether something is still a draft, and what concerns its publication. */
    Publication: {
      /** @description It is not published. */
      draft: boolean;
      /** @description What keeps it from being published, or would. */
      obstacles: components['schemas']['Obstacle'][];
      /** @description What is allowed, and may be a mistake. */
      warnings: components['schemas']['Warning'][];
    };
    /** @description How to publish a schedule. */
    PublishSchedule: {
      /**
       * @description True to publish the schedule's concert as well, if it is a draft.
       * @default false
       */
      concert: boolean;
      /**
       * @description True to change nothing, and to answer what keeps the schedule from being published.
       * @default false
       */
      dry_run: boolean;
    };
    /** @description Changes to queue settings. Absent fields keep their values. */
    QueueChange: {
      /**
       * Format: int32
       * @description Time from admission until the active slot expires, in seconds.
       *     New schedules: 600.
       */
      active_ttl_seconds?: number;
      /**
       * @description Where the admission rate comes from. AUTO: it follows the targets `auto_…`. FIXED returns to
       *     `admit_per_second` at once.
       *     New schedules: FIXED.
       */
      admission_mode?: components['schemas']['AdmissionMode'];
      /**
       * Format: int32
       * @description Limit of admissions per second.
       *     New schedules: 50.
       */
      admit_per_second?: number;
      /**
       * Format: int32
       * @description Target of the automatic rate: share of holds and payments that fail, in percent.
       *     New schedules: 2.
       */
      auto_error_percent?: number;
      /**
       * Format: int32
       * @description Highest automatic rate.
       *     New schedules: 200.
       */
      auto_max_per_second?: number;
      /**
       * Format: int32
       * @description Lowest automatic rate. At most `auto_max_per_second`.
       *     New schedules: 5.
       */
      auto_min_per_second?: number;
      /**
       * Format: int32
       * @description Target of the automatic rate: 99th percentile of holds and payments, in ms.
       *     New schedules: 500.
       */
      auto_p99_ms?: number;
      /**
       * Format: int32
       * @description Target of the automatic rate: share of active slots in use, in percent. 100: no target.
       *     New schedules: 100.
       */
      auto_slots_percent?: number;
      /**
       * Format: int32
       * @description Limit of active slots at a time.
       *     New schedules: 500.
       */
      capacity?: number;
      /**
       * Format: int32
       * @description Time after admission until an owner who does not show up loses the slot, in seconds.
       *     New schedules: 60.
       */
      claim_window_seconds?: number;
      /** @description The order of admission. Cannot change once the queue is open. */
      entry_order?: components['schemas']['EntryOrder'];
      /**
       * Format: int32
       * @description Time to pay for held seats, in seconds.
       *     New schedules: 300.
       */
      hold_ttl_seconds?: number;
      /**
       * Format: int32
       * @description Limit of seats that one user may hold or own.
       *     New schedules: 4.
       */
      max_seats_per_user?: number;
      /** @description Message shown to waiting users. Null clears it. */
      message?: string | null;
      /**
       * @description Stops admission. The queue keeps its entries.
       *     New schedules: false.
       */
      paused?: boolean;
      /**
       * Format: int32
       * @description Time without a request after which a waiting user counts as absent, in seconds. Absent users
       *     are passed over when their turn comes. At least 10, because clients near the front poll
       *     every few seconds.
       *     New schedules: 90.
       */
      presence_window_seconds?: number;
      /**
       * Format: date-time
       * @description When the queue opens for joins. Not after the opening of the sale.
       *     New schedules: 30 minutes before the opening of the sale.
       */
      queue_opens_at?: string;
      /**
       * Format: int32
       * @description Time for which the entry of a user who was passed over is kept, in seconds. It counts from
       *     the first time.
       *     New schedules: 600.
       */
      return_grace_seconds?: number;
    };
    /**
     * @description Queue settings of one schedule. All may change during the sale, except `entry_order` once the
     *     queue is open.
     */
    QueueSettings: {
      /**
       * Format: int32
       * @description Time from admission until the active slot expires, in seconds.
       */
      active_ttl_seconds: number;
      /** @description Where the admission rate comes from. FIXED: it is `admit_per_second`. */
      admission_mode: components['schemas']['AdmissionMode'];
      /**
       * Format: int32
       * @description Limit of admissions per second. With the mode AUTO, the rate to start with.
       */
      admit_per_second: number;
      /**
       * Format: int32
       * @description Target of the automatic rate: share of holds and payments that fail, in percent.
       */
      auto_error_percent: number;
      /**
       * Format: int32
       * @description Highest automatic rate.
       */
      auto_max_per_second: number;
      /**
       * Format: int32
       * @description Lowest automatic rate.
       */
      auto_min_per_second: number;
      /**
       * Format: int32
       * @description Target of the automatic rate: 99th percentile of holds and payments, in ms.
       */
      auto_p99_ms: number;
      /**
       * Format: int32
       * @description Target of the automatic rate: share of active slots in use, in percent. 100: no target.
       */
      auto_slots_percent: number;
      /**
       * Format: int32
       * @description Limit of active slots at a time.
       */
      capacity: number;
      /**
       * Format: int32
       * @description Time after admission until an owner who does not show up loses the slot, in seconds.
       */
      claim_window_seconds: number;
      /** @description The order of admission. Cannot change once the queue is open. */
      entry_order: components['schemas']['EntryOrder'];
      /**
       * Format: int32
       * @description Time to pay for held seats, in seconds.
       */
      hold_ttl_seconds: number;
      /**
       * Format: int32
       * @description Limit of seats of this schedule that one user may hold or own.
       */
      max_seats_per_user: number;
      /** @description Message shown to waiting users. */
      message?: string | null;
      /** @description Whether admission is paused. The queue keeps its entries. */
      paused: boolean;
      /**
       * Format: int32
       * @description Time without a request after which a waiting user counts as absent, in seconds. Absent users
       *     are passed over when their turn comes.
       */
      presence_window_seconds: number;
      /**
       * Format: date-time
       * @description When the queue opens for joins.
       */
      queue_opens_at: string;
      /**
       * Format: int32
       * @description Time for which the entry of a user who was passed over is kept, in seconds. It counts from
       *     the first time.
       */
      return_grace_seconds: number;
    };
    /** @description Waits without the entries that were admitted in the moment of joining. */
    QueuedWaits: {
      /**
       * Format: int64
       * @description Entries that were admitted in the moment of joining. They are in `waits` of the report with 0
       *     seconds, and so make its percentiles lower.
       */
      admitted_at_once: number;
      /** @description Waits of all other admitted entries, from joining. */
      waits: components['schemas']['Waits'];
    };
    /** @description The lowest, the median and the highest of several runs. */
    Range: {
      /**
       * Format: double
       * @description The highest.
       */
      high: number;
      /**
       * Format: double
       * @description The lowest.
       */
      low: number;
      /**
       * Format: double
       * @description The middle one; of two the lower.
       */
      median: number;
    };
    /** @description Whether a sale may begin. */
    Readiness: {
      /** @description Number of findings with the level `failure`. */
      failures: number;
      /** @description What was found, in the order of the checks. */
      findings: components['schemas']['Finding'][];
      /** @description Whether nothing failed. */
      passes: boolean;
      /** @description Id of the schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /**
       * Format: date-time
       * @description Server time of this answer.
       */
      server_time: string;
      /** @description Number of findings with the level `warning`. */
      warnings: number;
    };
    /** @description Settings for a schedule. */
    Recommended: {
      /**
       * Format: int64
       * @description Limit of admissions per second.
       */
      admit_per_second: number;
      /**
       * Format: int64
       * @description Limit of active slots.
       */
      capacity: number;
    };
    RecoveryCodeAnswer: {
      /**
       * Format: date-time
       * @description When the current code was created. Null if there is none.
       */
      created_at?: string | null;
    };
    Redeeming: {
      /** @description The recovery code. Case, spaces and hyphens do not matter. */
      code: string;
    };
    /** @description A refund of every payment of a schedule. */
    RefundOrder: {
      /** @description Why, for the audit; 1 to 500 characters. */
      reason: string;
      /** @description What becomes of the seats. */
      seats: components['schemas']['SeatsAfter'];
    };
    /** @description What a refund of every payment of a schedule would do now. Nothing was changed. */
    RefundPreview: {
      /**
       * Format: int64
       * @description Points that would return.
       */
      amount: number;
      /**
       * Format: int64
       * @description Users who paid for them.
       */
      buyers: number;
      /**
       * Format: int64
       * @description Seats that wait for payment. They are refunded too if they are paid before the job ends, and
       *     only if `selling` is false.
       */
      held_seats: number;
      job_id?: components['schemas']['JobId'] | null;
      /**
       * Format: int64
       * @description Seats that were refunded before. They stay as they are.
       */
      refunded_seats: number;
      /** @description The schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /**
       * Format: int64
       * @description Paid seats, which would be refunded.
       */
      seats: number;
      /**
       * @description Whether seats can still be sold: the concert is available, and the deadline has not passed.
       *     Then seats that are paid after the start of the job stay sold.
       */
      selling: boolean;
      /**
       * Format: date-time
       * @description Server time of this answer.
       */
      server_time: string;
    };
    /** @description Result of refunding a payment. */
    Refunded: {
      /**
       * Format: int64
       * @description Balance afterwards, in points.
       */
      balance: number;
      /** @description The refunded payment. */
      payment: components['schemas']['Payment'];
    };
    /** @description Payments that staff refunded. */
    RefundedOrder: {
      /**
       * Format: int64
       * @description The buyer's balance afterwards, in points.
       */
      balance: number;
      /** @description The payments that are refunded now. Those that were refunded before are left out. */
      payments: components['schemas']['Payment'][];
      /**
       * Format: int64
       * @description Sum of the payments, in points.
       */
      total_amount: number;
      /** @description The buyer. */
      user_id: components['schemas']['UserId'];
    };
    /** @description A refund by staff. */
    Refunding: {
      /** @description Block the seats instead of selling them again. */
      block?: boolean;
      /** @description Why, for the audit and for the buyer's history. */
      reason: string;
    };
    /** @description A rehearsal. */
    Rehearsal: {
      /** @description The administrator who started it. */
      admin: components['schemas']['UserId'];
      /**
       * Format: date-time
       * @description When it ended.
       */
      ended_at?: string | null;
      /** @description Id of the rehearsal. */
      id: components['schemas']['RehearsalId'];
      /** @description What was asked for. */
      plan: components['schemas']['RehearsalPlan'];
      progress?: components['schemas']['Progress'] | null;
      /**
       * Format: date-time
       * @description When everything of its shadow was removed.
       */
      removed_at?: string | null;
      /**
       * Format: int64
       * @description The schedule that is rehearsed. Null if it was deleted since.
       */
      schedule_id?: number | null;
      sheet?: components['schemas']['Sheet'] | null;
      /**
       * Format: date-time
       * @description When it started.
       */
      started_at: string;
      /** @description The state. */
      state: components['schemas']['RehearsalState'];
    };
    /**
     * Format: int64
     * @description The id of a rehearsal.
     */
    RehearsalId: number;
    /** @description The rehearsals of a schedule. */
    RehearsalList: {
      /** @description The rehearsals, newest first; 20 at most. */
      items: components['schemas']['Rehearsal'][];
      /**
       * Format: date-time
       * @description Server time of this answer.
       */
      server_time: string;
    };
    /** @description A rehearsal to start. */
    RehearsalPlan: {
      /**
       * @description URL at which the buyers call the service: https, or http on this machine. Default: the
       *     answering process, over loopback.
       */
      base_url?: string | null;
      /** @description Start although other sales are open. They may become slower. */
      beside_open_sales?: boolean;
      /**
       * Format: int32
       * @description Number of synthetic buyers.
       */
      buyers: number;
      /**
       * Format: double
       * @description Seconds from admission to the hold, at the median. Default: 3.
       */
      choose_seconds?: number;
      /**
       * Format: int32
       * @description Seconds before the opening within which half of the buyers come. Default: 20.
       * @default 20
       */
      early_seconds: number;
      /**
       * Format: int32
       * @description Seconds after the opening within which nearly all others come. Default: 20.
       * @default 20
       */
      late_seconds: number;
      /**
       * Format: int32
       * @description Minutes after the opening at which it ends at the latest. Default: 15.
       * @default 15
       */
      max_minutes: number;
      /**
       * Format: double
       * @description Share of the buyers who are away when their turn comes. Default: 0.02.
       */
      no_shows?: number;
      /**
       * Format: int32
       * @description Limit of the 99th percentile of each step, in milliseconds. Default: 1,000.
       * @default 1000
       */
      p99_limit_ms: number;
      /**
       * Format: double
       * @description Seconds from the hold to the payment, at the median. Default: 3.
       */
      pay_seconds?: number;
      /**
       * Format: double
       * @description Share of the buyers with held seats who pay. Default: 0.9.
       */
      pays?: number;
      /**
       * Format: int32
       * @description Requests per second of the generator, at most. Buyers wait for their turn beyond it, and the
       *     sheet says how long. Default: 500.
       * @default 500
       */
      requests_per_second: number;
    };
    /**
     * @description The state of a rehearsal.
     * @enum {string}
     */
    RehearsalState: 'RUNNING' | 'PASSED' | 'FAILED' | 'STOPPED' | 'BROKEN';
    /** @description A recovery code in place of an earlier one. Only this answer shows it. */
    ReissuedCode: {
      /** @description The recovery code: 24 letters and digits in six groups. */
      code: string;
      /**
       * Format: date-time
       * @description When the code was created.
       */
      created_at: string;
      /** @description The buyer. */
      user_id: components['schemas']['UserId'];
    };
    /** @description A code that opens a buyer's place in a queue, with a new session. Only this answer shows it. */
    ReissuedPlace: {
      /** @description The hand-off code. It works once; the buyer opens `/continue#<code>`. */
      code: string;
      /**
       * Format: date-time
       * @description When the code expires, 15 minutes from now.
       */
      expires_at: string;
      /** @description The schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /** @description Sequence of the queue entry, which is the same as before. */
      sequence: components['schemas']['Sequence'];
      /**
       * Format: uuid
       * @description The ticket id, which is the same as before.
       */
      ticket_id: string;
      /** @description The buyer. */
      user_id: components['schemas']['UserId'];
    };
    /** @description Why a new code is made. */
    Reissuing: {
      /** @description Why, for the audit and for the buyer's history. For example how the buyer proved who they are. */
      reason: string;
    };
    /** @description Rejected requests of one kind with one reason. */
    RejectionCount: {
      /** @description Code of the problem that rejected it. */
      reason: string;
      /**
       * Format: int64
       * @description Number of requests. One user can cause several.
       */
      times: number;
      /** @description What the request asked for: `join` or `hold`. */
      wanted: string;
    };
    /** @description What the removal of a concert or a schedule deletes. */
    Removal: {
      /**
       * Format: int64
       * @description Queue entries, of each schedule up to 100,000.
       */
      entries: number;
      /**
       * Format: int64
       * @description Payments, all refunded. The history of points keeps both of their changes.
       */
      payments: number;
      /** @description The removal has begun. False only after a dry run. */
      removing: boolean;
      /**
       * Format: int64
       * @description Reservations that have ended.
       */
      reservations: number;
      /**
       * Format: int64
       * @description Schedules.
       */
      schedules: number;
      /**
       * Format: int64
       * @description Seats.
       */
      seats: number;
    };
    RenewedAnswer: {
      /** @description New access token (a JWT), to use instead of the one that was sent. */
      access_token: string;
      /** Format: date-time */
      expires_at: string;
    };
    /** @description Which events to send again: those of the list, or those that occurred in a time. */
    Replay: {
      /** @description Ids of events, up to 100. They are sent again even if they were delivered. */
      event_ids?: string[];
      /**
       * Format: date-time
       * @description Start of the time. Events that were delivered, or are pending, are left out.
       */
      from?: string;
      /**
       * Format: date-time
       * @description End of the time, exclusive. Absent: now.
       */
      until?: string;
    };
    /** @description What a replay does. */
    Replayed: {
      /**
       * Format: int64
       * @description Number of new deliveries.
       */
      deliveries: number;
      /** @description Whether the time has more events: repeat the call for them. */
      more: boolean;
    };
    /** @description The reservation of one seat. */
    Reservation: {
      /**
       * Format: int64
       * @description Price of the seat when it was held, in points.
       */
      amount: number;
      /** @description Id of the concert. */
      concert_id: components['schemas']['ConcertId'];
      /**
       * Format: date-time
       * @description When the time to pay ends.
       */
      expires_at: string;
      /**
       * Format: uuid
       * @description Id of the hold. Seats held by one request share it.
       */
      hold_id: string;
      /** @description Id of the reservation. */
      id: components['schemas']['ReservationId'];
      /**
       * Format: date-time
       * @description When the seat was held.
       */
      reservation_at: string;
      /** @description Id of the schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /** @description Id of the seat. */
      seat_id: components['schemas']['SeatId'];
      /**
       * Format: int32
       * @description Number of the seat in its schedule.
       */
      seat_number: number;
      /** @description Status of the reservation. */
      status: components['schemas']['ReservationStatus'];
    };
    /**
     * Format: int64
     * @description The id of a reservation: one seat of one hold.
     */
    ReservationId: number;
    /**
     * @description Status of a reservation. It begins as `PAYMENT_WAITING`.
     * @enum {string}
     */
    ReservationStatus: 'PAYMENT_WAITING' | 'COMPLETE' | 'EXPIRED' | 'CANCELLED' | 'REFUNDED';
    /** @description A seat that was taken back. */
    RevokedSeat: {
      /** @description Whether the seat is blocked now. */
      blocked: boolean;
      /** @description Id of the reservation. */
      reservation_id: components['schemas']['ReservationId'];
      /** @description Id of the seat. */
      seat_id: components['schemas']['SeatId'];
      /**
       * Format: int32
       * @description Its number.
       */
      seat_number: number;
    };
    /** @description Taking a seat back from a guest. */
    Revoking: {
      /** @description Whether the seat is blocked afterwards. Absent: as it was before it was given. */
      block?: boolean;
      /** @description Why, for the audit and for the guest's history. */
      reason: string;
    };
    /**
     * @description The role of a caller. Each role may do everything that the roles before it may do.
     * @enum {string}
     */
    Role: 'user' | 'viewer' | 'box_office' | 'operator' | 'admin';
    /** @description A rotation of the secret. */
    Rotation: {
      /**
       * Format: int32
       * @description For how long messages are also signed with the previous secret, in seconds: up to a week.
       * @default 86400
       */
      keep_previous_seconds: number;
    };
    /** @description The settings of the sale and of the service. */
    SaleRules: {
      /**
       * Format: int64
       * @description Limit of admissions per second.
       */
      admit_per_second: number;
      /**
       * Format: int64
       * @description Limit of active slots.
       */
      capacity: number;
      /**
       * Format: double
       * @description The claim window (s).
       */
      claim_seconds: number;
      /**
       * Format: double
       * @description End of the sale after its opening (s).
       */
      closes_after_seconds: number;
      /**
       * Format: double
       * @description The grace of an entry that was passed over (s).
       */
      grace_seconds: number;
      /**
       * Format: double
       * @description Time to pay for held seats (s).
       */
      hold_seconds: number;
      /**
       * Format: int32
       * @description `ONSALE_POLLS_PER_SECOND`.
       */
      polls_ceiling: number;
      /**
       * Format: double
       * @description The presence window (s).
       */
      presence_seconds: number;
      /**
       * Format: double
       * @description Duration of a slot (s).
       */
      slot_seconds: number;
    };
    /** @description Figures of seats and payments. */
    SalesReport: {
      /**
       * Format: int64
       * @description Seats that an administrator holds back now.
       */
      blocked: number;
      /**
       * Format: int64
       * @description Different users who own them.
       */
      buyers: number;
      /**
       * Format: int64
       * @description Reservations that their buyer released.
       */
      cancelled: number;
      /**
       * Format: int64
       * @description Reservations that expired without a payment.
       */
      expired: number;
      /**
       * Format: int64
       * @description Seats given to guests for free. They are not among the sold ones.
       */
      guests?: number;
      /**
       * Format: int64
       * @description Seats that wait for payment now.
       */
      held: number;
      /**
       * Format: int64
       * @description Refunded reservations.
       */
      refunded: number;
      /**
       * Format: int64
       * @description Amount refunded for them, in points.
       */
      refunds: number;
      /**
       * Format: int64
       * @description Amount paid for the sold ones, in points.
       */
      revenue: number;
      /**
       * Format: int64
       * @description Seats in all states together.
       */
      seats: number;
      /**
       * Format: int64
       * @description Seats paid for and not refunded.
       */
      sold: number;
    };
    /**
     * Format: int64
     * @description The id of a schedule: one performance of a concert, with its own sale and queue.
     */
    ScheduleId: number;
    /** @description A schedule as an administrator sees it. */
    ScheduleSettings: {
      /**
       * Format: date-time
       * @description When the doors open.
       */
      concert_at: string;
      /** @description Id of its concert. */
      concert_id: components['schemas']['ConcertId'];
      /**
       * Format: date-time
       * @description When the sale closes.
       */
      deadline_at: string;
      /** @description It is not published: only administrators see it. */
      draft: boolean;
      /** @description Id of the schedule. */
      id: components['schemas']['ScheduleId'];
      /** @description Queue settings. */
      queue: components['schemas']['QueueSettings'];
      /** @description Its removal has begun. It can no longer be changed. */
      removing: boolean;
      /**
       * Format: date-time
       * @description When the sale opens.
       */
      reservation_available_at: string;
    };
    /** @description The public view of a schedule, at most 1 s old. */
    ScheduleView: {
      /**
       * Format: date-time
       * @description When the doors open.
       */
      concert_at: string;
      /** @description Id of its concert. */
      concert_id: components['schemas']['ConcertId'];
      /**
       * Format: date-time
       * @description When the sale closes.
       */
      deadline_at: string;
      /** @description The order of admission. */
      entry_order: components['schemas']['EntryOrder'];
      /** @description Id of the schedule. */
      id: components['schemas']['ScheduleId'];
      /**
       * Format: int32
       * @description Limit of seats that one user may hold or own.
       */
      max_seats_per_user: number;
      /** @description Message from the operator of the sale. */
      message?: string | null;
      /** @description Phase of the sale. */
      phase: components['schemas']['Phase'];
      /** @description Each combination of section and price, in order of seat numbers. */
      prices: components['schemas']['SectionPrice'][];
      /**
       * Format: date-time
       * @description When the queue opens for joins.
       */
      queue_opens_at: string;
      /**
       * Format: date-time
       * @description When the sale opens.
       */
      reservation_available_at: string;
      /** @description Number of seats by state. */
      seats: components['schemas']['SeatCounts'];
      /**
       * Format: date-time
       * @description Server time of this answer. Countdowns should use it as the current time.
       */
      server_time: string;
    };
    /** @description What a search found. */
    SearchAnswer: {
      /** @description What was found: by ids first, then by name, in order of names. */
      items: components['schemas']['SearchHit'][];
      /** @description There are more users whose names begin like this. Search for more of the name. */
      more: boolean;
    };
    /** @description One thing that a search found. Members that do not apply are null. */
    SearchHit: {
      /**
       * Format: uuid
       * @description Id of the hold.
       */
      hold_id?: string | null;
      /** @description By what it was found. */
      matched_by: components['schemas']['MatchedBy'];
      payment_id?: components['schemas']['PaymentId'] | null;
      reservation_id?: components['schemas']['ReservationId'] | null;
      schedule_id?: components['schemas']['ScheduleId'] | null;
      seat?: components['schemas']['NamedSeat'] | null;
      /**
       * Format: uuid
       * @description Id of the ticket.
       */
      ticket_id?: string | null;
      user?: components['schemas']['Person'] | null;
    };
    /** @description One seat without its state. */
    Seat: {
      /** @description Id of the seat. */
      id: components['schemas']['SeatId'];
      /** @description Name of the row, such as `1` or `AA`. */
      row: string;
      /**
       * Format: int32
       * @description Number of the seat: 1..n in a schedule, without a gap.
       */
      seat_number: number;
      /**
       * Format: int64
       * @description Price in points.
       */
      seat_price: number;
      /** @description Name of the section, such as `A` or `Balcony`. */
      section: string;
    };
    /** @description The states of all seats. */
    SeatBits: {
      /**
       * Format: int32
       * @description Version of the layout that the states belong to.
       */
      layout_version: number;
      /**
       * @description Base64 of two bits per seat in order of `seat_number`: 0 available, 1 held, 2 unavailable.
       *     A byte has four seats, the first in its lowest bits. The state of seat *n* is
       *     `bytes[(n - 1) >> 2] >> ((n - 1) & 3) * 2 & 3`.
       */
      status: string;
      /**
       * @description Version of the map: an opaque value for `?since=`.
       * @example 1.204-1
       */
      version: string;
    };
    /** @description The seats that changed since a version. */
    SeatChanges: {
      /** @description In order of seat number. */
      seats: components['schemas']['ChangedSeat'][];
      /**
       * @description Version of the map before the changes, as in the request.
       * @example 1.204-1
       */
      since: string;
      /**
       * @description Version of the map after the changes.
       * @example 1.207-1
       */
      version: string;
    };
    /** @description Number of seats by state. `total` is the sum of the others. */
    SeatCounts: {
      /**
       * Format: int32
       * @description Free seats.
       */
      available: number;
      /**
       * Format: int32
       * @description Seats that an administrator blocked.
       */
      blocked: number;
      /**
       * Format: int32
       * @description Seats that wait for payment.
       */
      held: number;
      /**
       * Format: int32
       * @description Seats paid for.
       */
      sold: number;
      /**
       * Format: int32
       * @description Seats in all states together.
       */
      total: number;
    };
    /**
     * Format: int64
     * @description The id of one seat of one schedule.
     */
    SeatId: number;
    /** @description Every seat without its state. Immutable per `layout_version`. */
    SeatLayout: {
      /**
       * Format: int32
       * @description Version of the layout. Rises when seats are added.
       */
      layout_version: number;
      /** @description Id of the schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /** @description In order of seat number. */
      seats: components['schemas']['Seat'][];
    };
    /** @description Every seat of a schedule with its state. */
    SeatMap: {
      /** @description In order of seat number. */
      seats: components['schemas']['MapSeat'][];
      /**
       * @description Version of the map: an opaque value for `?since=`.
       * @example 1.204-1
       */
      version: string;
    };
    /** @description A seat, and who has it. */
    SeatProfile: {
      /**
       * Format: int64
       * @description What the owner pays or paid, in points.
       */
      amount?: number | null;
      /**
       * Format: date-time
       * @description When the time to pay ends, if it waits for payment.
       */
      expires_at?: string | null;
      /**
       * Format: uuid
       * @description Id of its hold.
       */
      hold_id?: string | null;
      owner?: components['schemas']['Person'] | null;
      payment_id?: components['schemas']['PaymentId'] | null;
      reservation_id?: components['schemas']['ReservationId'] | null;
      /** @description The seat. */
      seat: components['schemas']['NamedSeat'];
      /**
       * Format: int64
       * @description Its price now, in points.
       */
      seat_price: number;
      /** @description Its state in PostgreSQL. */
      state: components['schemas']['SeatState'];
    };
    /**
     * @description State of a seat for staff. Public maps show the last three as unavailable.
     * @enum {string}
     */
    SeatState: 'AVAILABLE' | 'HELD' | 'SOLD' | 'GUEST' | 'BLOCKED';
    /**
     * @description Public state of a seat.
     * @enum {string}
     */
    SeatStatus: 'AVAILABLE' | 'HELD' | 'UNAVAILABLE';
    /** @description Result of adding seats. */
    SeatsAdded: {
      /** @description Number of seats added. */
      created: number;
    };
    /**
     * @description What becomes of the seats.
     * @enum {string}
     */
    SeatsAfter: 'FREE' | 'BLOCK';
    SeatsAnswer: components['schemas']['SeatMap'] | components['schemas']['SeatChanges'];
    /** @description Result of blocking or unblocking seats. */
    SeatsBlocked: {
      /** @description Number of seats whose state changed. */
      changed: number;
    };
    /** @description What a change of seats affects. */
    SeatsEffect: {
      /** @description Number of blocked seats. */
      blocked: components['schemas']['BeforeAfter'];
      /**
       * Format: int64
       * @description Seats that were added, removed, replaced or priced.
       */
      changed: number;
      /** @description Nothing was changed. */
      dry_run: boolean;
      /**
       * Format: int64
       * @description Seats that keep their price because buyers hold or own them.
       */
      kept: number;
      /** @description Number of seats. */
      seats: components['schemas']['BeforeAfter'];
      /**
       * @description Takings if every seat that is not blocked is sold, in points. Seats that buyers hold or own
       *     count with the price that their buyers pay.
       */
      takings: components['schemas']['BeforeAfter'];
    };
    /** @description The seats of a schedule, by section and price. */
    SeatsState: {
      /**
       * Format: int32
       * @description Number of blocked seats.
       */
      blocked: number;
      /**
       * Format: int32
       * @description Version of the layout.
       */
      layout_version: number;
      /** @description Whether the schedule has, or had, a reservation. Then its seats can no longer be replaced. */
      reserved: boolean;
      /** @description Id of the schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /**
       * Format: int32
       * @description Rises with each change of the seats by an administrator. The `ETag` covers it.
       */
      seats_version: number;
      /** @description Each combination of section and price, in order of seat numbers. */
      sections: components['schemas']['SectionState'][];
      /**
       * Format: int32
       * @description Number of seats.
       */
      total: number;
    };
    /** @description The seats of one section with one price. */
    SectionPrice: {
      /**
       * Format: int32
       * @description Number of free seats among them.
       */
      available: number;
      /**
       * Format: int64
       * @description Price of a seat, in points.
       */
      seat_price: number;
      /** @description Name of the section, such as `A`. */
      section: string;
    };
    /** @description Figures of the seats of one section. */
    SectionReport: {
      /**
       * Format: int64
       * @description Seats that an administrator holds back now.
       */
      blocked: number;
      /**
       * Format: int64
       * @description Seats given to guests for free. They are not among the sold ones.
       */
      guests?: number;
      /**
       * Format: int64
       * @description Amount paid for the sold ones, in points.
       */
      revenue: number;
      /**
       * Format: int64
       * @description Seats in all states together.
       */
      seats: number;
      /** @description Name of the section, such as `A`. */
      section: string;
      /**
       * Format: int64
       * @description Seats paid for and not refunded.
       */
      sold: number;
    };
    /** @description The seats of one section with one price. */
    SectionState: {
      /**
       * Format: int32
       * @description Number of blocked seats.
       */
      blocked: number;
      /** @description Name of the section. */
      name: string;
      /**
       * Format: int32
       * @description Number of rows.
       */
      rows: number;
      /**
       * Format: int64
       * @description Price of a seat, in points.
       */
      seat_price: number;
      /**
       * Format: int32
       * @description Number of seats.
       */
      seats: number;
    };
    /** @description When the last seat is sold at the present pace. */
    SellOut: {
      /**
       * Format: date-time
       * @description The time of the last sale. Once the queue is empty, sales are counted as by the joins of the
       *     last 30 s.
       */
      at: string;
      /** @description Whether that is before the sale closes. */
      before_deadline: boolean;
      /**
       * Format: int64
       * @description Over how many seconds that was measured.
       */
      measured_seconds: number;
      /**
       * Format: double
       * @description Seats sold per second lately.
       */
      seats_per_second: number;
    };
    /**
     * Format: int64
     * @description The sequence of a queue entry: epoch × 2^40 + n. A lower one is earlier. Redis hands out each
     *     sequence once.
     */
    Sequence: number;
    /**
     * @description The values of each series. Figures of the sale are totals; those of the answers are of
     *     all processes together, for all sales.
     */
    Series: {
      /** @description Active slots. */
      active: (number | null)[];
      /** @description Admissions per second. */
      admissions_per_second: (number | null)[];
      /** @description Limit of active slots. */
      capacity: (number | null)[];
      /** @description Entries per second that ended: paid, left or expired. */
      ends_per_second: (number | null)[];
      /** @description Answers with status 500 or above per second. */
      errors_per_second: (number | null)[];
      /** @description Entries per second that were ended by time. */
      expiries_per_second: (number | null)[];
      /** @description Seats that are claimed or held. */
      held: (number | null)[];
      /** @description 99th percentile of the answers to holds, in ms. */
      hold_p99_ms: (number | null)[];
      /** @description 99th percentile of the answers to joins, in ms. */
      join_p99_ms: (number | null)[];
      /** @description Joins per second. */
      joins_per_second: (number | null)[];
      /** @description Answers with status 429 per second. */
      limited_per_second: (number | null)[];
      /** @description Entries that were passed over and are not back. */
      parked: (number | null)[];
      /** @description 99th percentile of the answers to payments, in ms. */
      pay_p99_ms: (number | null)[];
      /** @description 99th percentile of the answers to polls, in ms. */
      poll_p99_ms: (number | null)[];
      /** @description Processes that serve. */
      processes: (number | null)[];
      /** @description Refused joins and holds per second. */
      refusals_per_second: (number | null)[];
      /** @description Amount paid, in points, at most five seconds old. */
      revenue: (number | null)[];
      /** @description Seats sold per second. */
      sales_per_second: (number | null)[];
      /** @description Admissions per second that are set. */
      set_per_second: (number | null)[];
      /** @description Seats paid for. */
      sold: (number | null)[];
      /** @description Entries that wait, with those that have returned. */
      waiting: (number | null)[];
    };
    /** @description The result of a rehearsal. */
    Sheet: {
      /**
       * Format: int32
       * @description Synthetic buyers.
       */
      buyers: number;
      /** @description How the buyers ended. */
      ends: components['schemas']['BuyerEnds'];
      /** @description Examples of what went wrong. */
      examples: string[];
      /** @description The lines. */
      lines: components['schemas']['SheetLine'][];
      /** @description Seconds from the opening until 99 of 100 seats were paid. */
      nearly_sold: components['schemas']['Compared'];
      /** @description Whether no line failed. */
      passed: boolean;
      /**
       * Format: int64
       * @description Memory of Redis that the sale took at its peak, in bytes: what it grew by.
       */
      redis_bytes: number;
      /**
       * Format: int64
       * @description Requests refused for now, with `Retry-After`.
       */
      refused: number;
      /**
       * Format: int64
       * @description Holds refused for lack of seats.
       */
      refused_holds: number;
      /**
       * Format: int64
       * @description Answered requests.
       */
      requests: number;
      /**
       * Format: int64
       * @description Seats for sale.
       */
      seats: number;
      /**
       * Format: int64
       * @description Seats sold, by PostgreSQL.
       */
      seats_sold: number;
      /** @description The step with the highest 99th percentile; null without requests. */
      slowest_step?: string | null;
      /** @description Seconds from the opening until the last seat was paid. */
      sold_out: components['schemas']['Compared'];
      /** @description Latency by step. */
      steps: components['schemas']['StepTimes'][];
      /**
       * Format: int64
       * @description Requests without an answer.
       */
      unreached: number;
    };
    /** @description One line of a sheet. */
    SheetLine: {
      /**
       * Format: double
       * @description The most that is allowed.
       */
      limit: number;
      /** @description Stable name, such as `double_sales`. */
      name: string;
      /** @description Whether `seen` is within `limit`. */
      passed: boolean;
      /**
       * Format: double
       * @description What was seen.
       */
      seen: number;
    };
    /** @description How a sale goes. */
    Simulation: {
      recommended?: components['schemas']['Recommended'] | null;
      /** @description The course of the sale over all runs. */
      summary: components['schemas']['Summary'];
    };
    /** @description A sale to simulate. */
    SimulationInput: {
      /** @description When people come. */
      arrivals: components['schemas']['Arrivals'];
      /** @description How they behave. */
      crowd: components['schemas']['Crowd'];
      /**
       * Format: int64
       * @description Most people that are simulated one by one.
       */
      most_simulated: number;
      /**
       * Format: int64
       * @description People who come.
       */
      people: number;
      /** @description Settings. */
      rules: components['schemas']['SaleRules'];
      /**
       * Format: int64
       * @description Seats on sale.
       */
      seats: number;
    };
    /** @description A sale to simulate. Fields that are absent are those of the schedule, or the usual assumptions. */
    SimulationRequest: {
      /**
       * Format: int64
       * @description Limit of admissions per second.
       */
      admit_per_second?: number | null;
      /** @description How likely a person wants one seat, two, and so on. Default: 30, 50, 10, 10. */
      baskets?: number[] | null;
      /**
       * Format: int64
       * @description Limit of active slots.
       */
      capacity?: number | null;
      /**
       * Format: double
       * @description Seconds from admission to the hold, at the median. Default: 60.
       */
      choose_seconds?: number | null;
      /**
       * Format: double
       * @description Minutes before the opening within which these come. Default: 30.
       */
      early_minutes?: number | null;
      /**
       * Format: double
       * @description Share of the people who come before the opening. Default: 0.5.
       */
      early_share?: number | null;
      /** @description Whether arrivals are spread evenly. Default: false, most come around the opening. */
      even?: boolean;
      /**
       * Format: double
       * @description Minutes after the opening within which nearly all others come. Default: 10.
       */
      late_minutes?: number | null;
      /**
       * Format: int64
       * @description People who are simulated one by one; one stands for several if more come. Default: 4,000.
       */
      most_simulated?: number | null;
      /**
       * Format: double
       * @description Share that is away when its turn comes. Default: 0.05.
       */
      no_shows?: number | null;
      /**
       * Format: double
       * @description Mean number of minutes after which a waiting person closes the page. Absent: nobody does.
       */
      patience_minutes?: number | null;
      /**
       * Format: double
       * @description Seconds from the hold to the payment, at the median. Default: 60.
       */
      pay_seconds?: number | null;
      /**
       * Format: double
       * @description Share of the people with held seats who pay. Default: 0.85.
       */
      pays?: number | null;
      /**
       * Format: int64
       * @description People who will come.
       */
      people: number;
      /**
       * Format: int64
       * @description The schedule whose seats and settings count.
       */
      schedule_id?: number | null;
      /**
       * Format: int64
       * @description Seats on sale. Needed without a schedule.
       */
      seats?: number | null;
      /**
       * Format: int64
       * @description Runs, each with another seed. Default: 5.
       */
      seeds?: number | null;
      /**
       * Format: double
       * @description Minutes within which 99 of 100 seats are to be sold: capacity and rate are recommended.
       */
      within_minutes?: number | null;
    };
    /**
     * @description Current figures of a sale. `held`, `sold` and `revenue` are read from PostgreSQL for this
     *     answer; the queue and `seats` come from the snapshot of `line_as_of`.
     */
    Stats: {
      /**
       * Format: int64
       * @description Active slots.
       */
      active: number;
      /**
       * Format: double
       * @description Admissions per second over the last 30 s. Null while unknown.
       */
      admit_per_second?: number | null;
      /**
       * Format: int64
       * @description Admissions since the queue's Redis keys were last built.
       */
      admitted_total: number;
      /**
       * @description Answers of all processes together, as `answers`. While Redis is unavailable, those of the
       *     answering process.
       */
      all_answers: components['schemas']['Answered'][];
      /** @description Answers of the answering process over the last ten seconds, for all schedules. */
      answers: components['schemas']['Answered'][];
      /**
       * Format: int64
       * @description Estimated wait of a user who joins now, in seconds, at the measured rate of admission: 0 if a
       *     slot is free and nobody waits. Null while that rate is unknown.
       */
      eta_seconds?: number | null;
      /**
       * Format: int64
       * @description Entries that expired since the queue's Redis keys were last built.
       */
      expired_total: number;
      /**
       * Format: int64
       * @description Seats given to guests for free. In `seats` they are among the sold ones.
       */
      guests: number;
      /**
       * Format: int64
       * @description Seats that wait for payment.
       */
      held: number;
      /** @description The settings that Redis applies now. */
      in_force: components['schemas']['InForce'];
      /**
       * Format: double
       * @description Joins per second over the last 30 s. Null while unknown.
       */
      join_per_second?: number | null;
      /**
       * Format: int64
       * @description Queue entries created, ever.
       */
      joined_total: number;
      /**
       * Format: date-time
       * @description When the queue was read. While Redis is unavailable, this time and the queue figures do not
       *     change.
       */
      line_as_of: string;
      /** @description Why admission goes as it goes, and when the sale sells out at this pace. */
      pace: components['schemas']['Pace'];
      /**
       * Format: int64
       * @description Entries that were passed over and are not back. They are kept for the return grace.
       */
      parked: number;
      /** @description Phase of the sale. */
      phase: components['schemas']['Phase'];
      /**
       * Format: double
       * @description Polls per second that the answering process served lately, for all schedules. Null until its
       *     second reading.
       */
      poll_per_second?: number | null;
      /**
       * Format: int64
       * @description Number of processes in `all_answers`.
       */
      processes: number;
      /** @description Whether the queue is being rebuilt after a loss of Redis. Nobody is admitted meanwhile. */
      recovering: boolean;
      /**
       * Format: int64
       * @description Rejected requests to join or hold so far, at most ten seconds old.
       */
      rejections: number;
      /**
       * Format: int64
       * @description Entries that were passed over and are back. They are admitted before all others.
       */
      returned: number;
      /**
       * Format: int64
       * @description Amount paid for the sold ones, in points.
       */
      revenue: number;
      /** @description Number of seats by state, from Redis. */
      seats: components['schemas']['SeatCounts'];
      /**
       * Format: date-time
       * @description Server time of this answer.
       */
      server_time: string;
      /**
       * Format: int64
       * @description Seats paid for.
       */
      sold: number;
      /**
       * Format: int64
       * @deprecated
       * @description The former name of `rejections`.
       */
      turned_away: number;
      /**
       * Format: int64
       * @description Entries that wait.
       */
      waiting: number;
    };
    StatusAnswer: components['schemas']['SeatBits'] | components['schemas']['SeatChanges'];
    /** @description How many people took a step. */
    Step: {
      /**
       * Format: double
       * @description Share of those who joined, from 0 to 1. Null if nobody joined.
       */
      of_joined?: number | null;
      /**
       * Format: double
       * @description Share of those who took the step before, from 0 to 1. Null for the first step, and if nobody
       *     took the step before.
       */
      of_previous?: number | null;
      /**
       * Format: int64
       * @description Different users who took it.
       */
      people: number;
      /** @description The step. */
      step: components['schemas']['StepName'];
    };
    /**
     * @description A step on the way to a ticket.
     * @enum {string}
     */
    StepName: 'joined' | 'admitted' | 'held' | 'paid';
    /** @description Latency of one step. */
    StepTimes: {
      /**
       * Format: double
       * @description Median, in milliseconds.
       */
      p50_ms: number;
      /**
       * Format: double
       * @description 99th percentile, in milliseconds.
       */
      p99_ms: number;
      /**
       * Format: int64
       * @description Answered requests.
       */
      requests: number;
      /** @description `join`, `poll`, `hold`, `pay` or `leave`. */
      step: string;
    };
    /** @description Health of one store. */
    StoreHealth: {
      /**
       * Format: double
       * @description Time until the answer, in milliseconds. Null if there was none.
       */
      answer_ms?: number | null;
      /** @description The store: `redis` or `postgresql`. */
      store: string;
      /** @description Whether it answered a ping within 1 s. */
      up: boolean;
    };
    /** @description A code that opens one ticket's stream. */
    StreamCode: {
      /** @description The code, for `?code=`. */
      code: string;
      /**
       * Format: date-time
       * @description When the code expires, one minute from now.
       */
      expires_at: string;
    };
    /** @description The runs of a sale. Counts are of the whole sale, not of the simulated part. */
    Summary: {
      /** @description How people ended, in the first run. */
      ends: components['schemas']['Ends'];
      /** @description The sale. */
      input: components['schemas']['SimulationInput'];
      /** @description Runs in which 99 of 100 seats were sold. */
      nearly_sold: number;
      /** @description From the opening until then (s), of these runs. */
      nearly_sold_seconds: components['schemas']['Range'];
      /** @description Most slots in use at a time. */
      peak_active: components['schemas']['Range'];
      /** @description The course of the sale. */
      plots: components['schemas']['Plot'][];
      /** @description Polls. */
      polls: components['schemas']['Range'];
      /** @description Refused holds. */
      refused_holds: components['schemas']['Range'];
      /** @description Runs, each with another seed. */
      runs: number;
      /**
       * Format: double
       * @description People for whom one simulated person stands.
       */
      scale: number;
      /** @description Time for which a slot was used (s), on average. */
      slot_seconds: components['schemas']['Range'];
      /** @description Seats sold. */
      sold: components['schemas']['Range'];
      /** @description Runs in which everything was sold. */
      sold_out: number;
      /** @description From the opening to the last payment (s), of these runs. */
      sold_out_seconds: components['schemas']['Range'];
      /** @description From joining to the admission's notice (s). */
      waits: components['schemas']['Times'];
      /** @description The same, from the opening for those who joined before it (s). */
      waits_from_opening: components['schemas']['Times'];
    };
    /** @description The ticket and the session for the other device. */
    TakenOverAnswer: {
      /** @description The user's access token; null if an identity provider makes access tokens: sign in there. */
      access_token?: string | null;
      /**
       * Format: date-time
       * @description When the access token expires: at the same time as the one that the code was made with.
       */
      expires_at?: string | null;
      /** @description The ticket to send from now on. */
      queue_token: string;
      schedule_id: components['schemas']['ScheduleId'];
      user: components['schemas']['Owner'];
    };
    Taking: {
      /** @description The code. */
      code: string;
    };
    /** @description A test event on its way. */
    TestSent: {
      /** @description Id of the event. */
      event_id: string;
    };
    /**
     * @description Status of a ticket.
     * @enum {string}
     */
    TicketStatus: 'WAITING' | 'ACTIVE' | 'EXPIRED' | 'LEFT' | 'COMPLETED';
    /** @description A ticket and the state of its queue entry: the answer to a join and a poll, and a stream event. */
    TicketView: {
      /**
       * Format: date-time
       * @description When the active slot ends; only while ACTIVE.
       */
      active_expires_at?: string | null;
      /**
       * Format: int64
       * @description Number of entries admitted before this one; null when `position` is null.
       */
      ahead?: number | null;
      /**
       * Format: date-time
       * @description Always null: a poll claims an active slot, and so does an open stream.
       */
      claim_by?: string | null;
      /**
       * Format: int64
       * @description Expected wait in seconds, by the slowest part of the last 30 s.
       */
      eta_high_seconds?: number | null;
      /**
       * Format: int64
       * @description Expected wait in seconds, by the fastest part of the last 30 s.
       */
      eta_low_seconds?: number | null;
      /**
       * Format: int64
       * @description Expected wait in seconds, by the measured admission rate; null while unknown.
       */
      eta_seconds?: number | null;
      /** @description The organiser's message. */
      message?: string | null;
      /** @description The phase of the sale. */
      phase: components['schemas']['Phase'];
      /**
       * Format: int64
       * @description Milliseconds to wait before the next poll; null when the status is final.
       */
      poll_after_ms?: number | null;
      /**
       * Format: int64
       * @description `ahead` + 1; null when not waiting, before the draw, and while the queue is being restored.
       */
      position?: number | null;
      /** @description The new ticket, if it changed. Send this one from now on. */
      queue_token?: string | null;
      /** @description The queue is being restored after a loss of data. */
      recovering: boolean;
      /** @description The schedule. */
      schedule_id: components['schemas']['ScheduleId'];
      /**
       * Format: int32
       * @description Number of free seats.
       */
      seats_available: number;
      /** @description The sequence of the queue entry. A lower one is earlier. Not a position. */
      sequence: components['schemas']['Sequence'];
      /**
       * Format: date-time
       * @description The server's time, for countdowns.
       */
      server_time: string;
      /** @description The status of the ticket. */
      status: components['schemas']['TicketStatus'];
      /**
       * Format: uuid
       * @description The ticket id. It never changes for one queue entry.
       */
      ticket_id: string;
      /**
       * Format: int64
       * @description Number of waiting entries.
       */
      waiting: number;
    };
    /** @description Percentiles of times over the people of a run, each with its range over the runs (s). */
    Times: {
      /** @description Half of the people took at most this long. */
      half: components['schemas']['Range'];
      /** @description 99 of 100. */
      most: components['schemas']['Range'];
      /** @description Nine of ten. */
      nine_of_ten: components['schemas']['Range'];
    };
    /** @description Changes to the times of a schedule. Absent fields keep their values. */
    TimesChange: {
      /**
       * Format: date-time
       * @description When the doors open.
       */
      concert_at?: string;
      /**
       * Format: date-time
       * @description When the sale closes.
       */
      deadline_at?: string;
      /**
       * Format: date-time
       * @description When the sale opens.
       */
      reservation_available_at?: string;
    };
    UserAnswer: {
      id: components['schemas']['UserId'];
      name: string;
      /** @description Role of the token: `user`, or a role of staff. */
      role: components['schemas']['Role'];
    };
    /**
     * Format: int64
     * @description The id of a user: a buyer or an administrator.
     */
    UserId: number;
    /** @description Waits until the first admission, in seconds. Null or empty if nobody was admitted. */
    Waits: {
      /**
       * Format: double
       * @description Longest wait.
       */
      longest_seconds?: number | null;
      /**
       * Format: double
       * @description Mean wait.
       */
      mean_seconds?: number | null;
      /** @description The 25th, 50th, 75th, 90th, 95th and 99th percentile. */
      percentiles: components['schemas']['Percentile'][];
    };
    /**
     * @description Something that is allowed, and may be a mistake.
     * @enum {string}
     */
    Warning: 'opens_at_once' | 'queue_opens_at_once' | 'paused' | 'draw_without_entrants';
    /** @description A webhook endpoint. */
    Webhook: {
      /**
       * Format: date-time
       * @description When it was created.
       */
      created_at: string;
      /** @description Note for administrators. */
      description: string;
      disabled_reason?: components['schemas']['DisabledReason'] | null;
      /** @description Whether it gets messages. */
      enabled: boolean;
      /** @description Id of the endpoint. */
      id: components['schemas']['WebhookId'];
      /**
       * Format: date-time
       * @description End of the rotation: until then messages are also signed with the previous secret. Null
       *     outside of a rotation.
       */
      previous_valid_until?: string | null;
      /** @description Public Ed25519 key (`whpk_…`); null if messages have no `v1a` signature. */
      public_key?: string | null;
      /** @description The signing secret (`whsec_…`): only in the answers that created it. */
      secret?: string;
      /** @description Types of events that it gets. Empty: all. */
      types: components['schemas']['EventType'][];
      /** @description URL to which messages are posted. */
      url: string;
    };
    /** @description Changes to an endpoint. Absent fields keep their values. */
    WebhookChange: {
      /** @description Note for administrators, up to 500 characters. */
      description?: string;
      /** @description Whether it gets messages. Disabling it gives up its pending deliveries. */
      enabled?: boolean;
      /** @description Types of events that it gets. Empty: all. */
      types?: components['schemas']['EventType'][];
      /** @description URL to which messages are posted. */
      url?: string;
    };
    /**
     * Format: int64
     * @description The id of a webhook endpoint.
     */
    WebhookId: number;
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type AdminConcert = components['schemas']['AdminConcert'];
export type AdminSchedule = components['schemas']['AdminSchedule'];
export type AdmissionBlock = components['schemas']['AdmissionBlock'];
export type AdmissionMode = components['schemas']['AdmissionMode'];
export type AdmittedPeople = components['schemas']['AdmittedPeople'];
export type Alert = components['schemas']['Alert'];
export type AlertKind = components['schemas']['AlertKind'];
export type Answered = components['schemas']['Answered'];
export type Arrivals = components['schemas']['Arrivals'];
export type AssumedCrowd = components['schemas']['AssumedCrowd'];
export type AuditEntry = components['schemas']['AuditEntry'];
export type AutoRate = components['schemas']['AutoRate'];
export type AutoReason = components['schemas']['AutoReason'];
export type Balance = components['schemas']['Balance'];
export type BeforeAfter = components['schemas']['BeforeAfter'];
export type BestSeats = components['schemas']['BestSeats'];
export type BlockedSeats = components['schemas']['BlockedSeats'];
export type Blocking = components['schemas']['Blocking'];
export type BuyerEnds = components['schemas']['BuyerEnds'];
export type BuyerEntry = components['schemas']['BuyerEntry'];
export type BuyerProfile = components['schemas']['BuyerProfile'];
export type BuyerReservation = components['schemas']['BuyerReservation'];
export type Call = components['schemas']['Call'];
export type Change = components['schemas']['Change'];
export type ChangedSeat = components['schemas']['ChangedSeat'];
export type ChargeBody = components['schemas']['ChargeBody'];
export type Charged = components['schemas']['Charged'];
export type Compared = components['schemas']['Compared'];
export type Comparison = components['schemas']['Comparison'];
export type Concert = components['schemas']['Concert'];
export type ConcertChange = components['schemas']['ConcertChange'];
export type ConcertId = components['schemas']['ConcertId'];
export type ConcertStatus = components['schemas']['ConcertStatus'];
export type Crowd = components['schemas']['Crowd'];
export type Curve = components['schemas']['Curve'];
export type Delivery = components['schemas']['Delivery'];
export type DeliveryStatus = components['schemas']['DeliveryStatus'];
export type DisabledReason = components['schemas']['DisabledReason'];
export type DrawView = components['schemas']['DrawView'];
export type Ends = components['schemas']['Ends'];
export type EntryOrder = components['schemas']['EntryOrder'];
export type Erasure = components['schemas']['Erasure'];
export type EventReport = components['schemas']['EventReport'];
export type EventType = components['schemas']['EventType'];
export type Faster = components['schemas']['Faster'];
export type FeedChange = components['schemas']['FeedChange'];
export type FeedEvent = components['schemas']['FeedEvent'];
export type FeedPage = components['schemas']['FeedPage'];
export type FeedState = components['schemas']['FeedState'];
export type FieldError = components['schemas']['FieldError'];
export type Finding = components['schemas']['Finding'];
export type GivenSeat = components['schemas']['GivenSeat'];
export type GivenSeats = components['schemas']['GivenSeats'];
export type Giving = components['schemas']['Giving'];
export type GuestSeat = components['schemas']['GuestSeat'];
export type HandOffCode = components['schemas']['HandOffCode'];
export type Health = components['schemas']['Health'];
export type History = components['schemas']['History'];
export type HistoryEvent = components['schemas']['HistoryEvent'];
export type HistoryKind = components['schemas']['HistoryKind'];
export type Hold = components['schemas']['Hold'];
export type HoldBody = components['schemas']['HoldBody'];
export type HoldView = components['schemas']['HoldView'];
export type InForce = components['schemas']['InForce'];
export type Job = components['schemas']['Job'];
export type JobId = components['schemas']['JobId'];
export type JobState = components['schemas']['JobState'];
export type JoinGroup = components['schemas']['JoinGroup'];
export type Kind = components['schemas']['Kind'];
export type Level = components['schemas']['Level'];
export type LineReport = components['schemas']['LineReport'];
export type LoopHealth = components['schemas']['LoopHealth'];
export type MapSeat = components['schemas']['MapSeat'];
export type Marker = components['schemas']['Marker'];
export type MarkerKind = components['schemas']['MarkerKind'];
export type MatchedBy = components['schemas']['MatchedBy'];
export type MeasuredArrivals = components['schemas']['MeasuredArrivals'];
export type MissingCost = components['schemas']['MissingCost'];
export type MovedReservation = components['schemas']['MovedReservation'];
export type Moving = components['schemas']['Moving'];
export type NamedSeat = components['schemas']['NamedSeat'];
export type Needs = components['schemas']['Needs'];
export type NewConcert = components['schemas']['NewConcert'];
export type NewRecoveryCode = components['schemas']['NewRecoveryCode'];
export type NewSchedule = components['schemas']['NewSchedule'];
export type NewSeat = components['schemas']['NewSeat'];
export type NewSeats = components['schemas']['NewSeats'];
export type NewSection = components['schemas']['NewSection'];
export type NewUser = components['schemas']['NewUser'];
export type NewUserAnswer = components['schemas']['NewUserAnswer'];
export type NewWebhook = components['schemas']['NewWebhook'];
export type NextEntry = components['schemas']['NextEntry'];
export type NextInQueue = components['schemas']['NextInQueue'];
export type NoPrediction = components['schemas']['NoPrediction'];
export type Obstacle = components['schemas']['Obstacle'];
export type Owner = components['schemas']['Owner'];
export type Pace = components['schemas']['Pace'];
export type PaceReason = components['schemas']['PaceReason'];
export type Page_AdminConcert = components['schemas']['Page_AdminConcert'];
export type Page_AdminSchedule = components['schemas']['Page_AdminSchedule'];
export type Page_Alert = components['schemas']['Page_Alert'];
export type Page_AuditEntry = components['schemas']['Page_AuditEntry'];
export type Page_BuyerEntry = components['schemas']['Page_BuyerEntry'];
export type Page_BuyerReservation = components['schemas']['Page_BuyerReservation'];
export type Page_Change = components['schemas']['Page_Change'];
export type Page_Concert = components['schemas']['Page_Concert'];
export type Page_Delivery = components['schemas']['Page_Delivery'];
export type Page_GuestSeat = components['schemas']['Page_GuestSeat'];
export type Page_HistoryEvent = components['schemas']['Page_HistoryEvent'];
export type Page_Job = components['schemas']['Page_Job'];
export type Page_Payment = components['schemas']['Page_Payment'];
export type Page_Reservation = components['schemas']['Page_Reservation'];
export type Page_ScheduleView = components['schemas']['Page_ScheduleView'];
export type Page_Webhook = components['schemas']['Page_Webhook'];
export type Paid = components['schemas']['Paid'];
export type Part = components['schemas']['Part'];
export type PayBody = components['schemas']['PayBody'];
export type Payment = components['schemas']['Payment'];
export type PaymentId = components['schemas']['PaymentId'];
export type PaymentRefusals = components['schemas']['PaymentRefusals'];
export type PaymentStatus = components['schemas']['PaymentStatus'];
export type PeakLoad = components['schemas']['PeakLoad'];
export type PeopleReport = components['schemas']['PeopleReport'];
export type Percentile = components['schemas']['Percentile'];
export type Person = components['schemas']['Person'];
export type Phase = components['schemas']['Phase'];
export type Plan = components['schemas']['Plan'];
export type PlanInput = components['schemas']['PlanInput'];
export type PlanRequest = components['schemas']['PlanRequest'];
export type PlannedSettings = components['schemas']['PlannedSettings'];
export type Plot = components['schemas']['Plot'];
export type PredictedRange = components['schemas']['PredictedRange'];
export type PredictedWaits = components['schemas']['PredictedWaits'];
export type Prediction = components['schemas']['Prediction'];
export type PriceChange = components['schemas']['PriceChange'];
export type PriceChanges = components['schemas']['PriceChanges'];
export type Problem = components['schemas']['Problem'];
export type ProblemDescription = components['schemas']['ProblemDescription'];
export type ProblemDescriptions = components['schemas']['ProblemDescriptions'];
export type Progress = components['schemas']['Progress'];
export type PublicBoard = components['schemas']['PublicBoard'];
export type Publication = components['schemas']['Publication'];
export type PublishSchedule = components['schemas']['PublishSchedule'];
export type QueueChange = components['schemas']['QueueChange'];
export type QueueSettings = components['schemas']['QueueSettings'];
export type QueuedWaits = components['schemas']['QueuedWaits'];
export type Range = components['schemas']['Range'];
export type Readiness = components['schemas']['Readiness'];
export type Recommended = components['schemas']['Recommended'];
export type RecoveryCodeAnswer = components['schemas']['RecoveryCodeAnswer'];
export type Redeeming = components['schemas']['Redeeming'];
export type RefundOrder = components['schemas']['RefundOrder'];
export type RefundPreview = components['schemas']['RefundPreview'];
export type Refunded = components['schemas']['Refunded'];
export type RefundedOrder = components['schemas']['RefundedOrder'];
export type Refunding = components['schemas']['Refunding'];
export type Rehearsal = components['schemas']['Rehearsal'];
export type RehearsalId = components['schemas']['RehearsalId'];
export type RehearsalList = components['schemas']['RehearsalList'];
export type RehearsalPlan = components['schemas']['RehearsalPlan'];
export type RehearsalState = components['schemas']['RehearsalState'];
export type ReissuedCode = components['schemas']['ReissuedCode'];
export type ReissuedPlace = components['schemas']['ReissuedPlace'];
export type Reissuing = components['schemas']['Reissuing'];
export type RejectionCount = components['schemas']['RejectionCount'];
export type Removal = components['schemas']['Removal'];
export type RenewedAnswer = components['schemas']['RenewedAnswer'];
export type Replay = components['schemas']['Replay'];
export type Replayed = components['schemas']['Replayed'];
export type Reservation = components['schemas']['Reservation'];
export type ReservationId = components['schemas']['ReservationId'];
export type ReservationStatus = components['schemas']['ReservationStatus'];
export type RevokedSeat = components['schemas']['RevokedSeat'];
export type Revoking = components['schemas']['Revoking'];
export type Role = components['schemas']['Role'];
export type Rotation = components['schemas']['Rotation'];
export type SaleRules = components['schemas']['SaleRules'];
export type SalesReport = components['schemas']['SalesReport'];
export type ScheduleId = components['schemas']['ScheduleId'];
export type ScheduleSettings = components['schemas']['ScheduleSettings'];
export type ScheduleView = components['schemas']['ScheduleView'];
export type SearchAnswer = components['schemas']['SearchAnswer'];
export type SearchHit = components['schemas']['SearchHit'];
export type Seat = components['schemas']['Seat'];
export type SeatBits = components['schemas']['SeatBits'];
export type SeatChanges = components['schemas']['SeatChanges'];
export type SeatCounts = components['schemas']['SeatCounts'];
export type SeatId = components['schemas']['SeatId'];
export type SeatLayout = components['schemas']['SeatLayout'];
export type SeatMap = components['schemas']['SeatMap'];
export type SeatProfile = components['schemas']['SeatProfile'];
export type SeatState = components['schemas']['SeatState'];
export type SeatStatus = components['schemas']['SeatStatus'];
export type SeatsAdded = components['schemas']['SeatsAdded'];
export type SeatsAfter = components['schemas']['SeatsAfter'];
export type SeatsAnswer = components['schemas']['SeatsAnswer'];
export type SeatsBlocked = components['schemas']['SeatsBlocked'];
export type SeatsEffect = components['schemas']['SeatsEffect'];
export type SeatsState = components['schemas']['SeatsState'];
export type SectionPrice = components['schemas']['SectionPrice'];
export type SectionReport = components['schemas']['SectionReport'];
export type SectionState = components['schemas']['SectionState'];
export type SellOut = components['schemas']['SellOut'];
export type Sequence = components['schemas']['Sequence'];
export type Series = components['schemas']['Series'];
export type Sheet = components['schemas']['Sheet'];
export type SheetLine = components['schemas']['SheetLine'];
export type Simulation = components['schemas']['Simulation'];
export type SimulationInput = components['schemas']['SimulationInput'];
export type SimulationRequest = components['schemas']['SimulationRequest'];
export type Stats = components['schemas']['Stats'];
export type StatusAnswer = components['schemas']['StatusAnswer'];
export type Step = components['schemas']['Step'];
export type StepName = components['schemas']['StepName'];
export type StepTimes = components['schemas']['StepTimes'];
export type StoreHealth = components['schemas']['StoreHealth'];
export type StreamCode = components['schemas']['StreamCode'];
export type Summary = components['schemas']['Summary'];
export type TakenOverAnswer = components['schemas']['TakenOverAnswer'];
export type Taking = components['schemas']['Taking'];
export type TestSent = components['schemas']['TestSent'];
export type TicketStatus = components['schemas']['TicketStatus'];
export type TicketView = components['schemas']['TicketView'];
export type Times = components['schemas']['Times'];
export type TimesChange = components['schemas']['TimesChange'];
export type UserAnswer = components['schemas']['UserAnswer'];
export type UserId = components['schemas']['UserId'];
export type Waits = components['schemas']['Waits'];
export type Warning = components['schemas']['Warning'];
export type Webhook = components['schemas']['Webhook'];
export type WebhookChange = components['schemas']['WebhookChange'];
export type WebhookId = components['schemas']['WebhookId'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
