// Generated from /openapi.json by `make types`: do not change it by hand.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
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
    /** @description A concert. */
    AdminConcert: { description: string; draft: boolean; id: number; removing: boolean; status: components['schemas']['ConcertStatus']; title: string; };
    AdminSchedule: components['schemas']['ScheduleView'] & { concert_draft: boolean; draft: boolean; removing: boolean; };
    Publication: { draft: boolean; obstacles: string[]; warnings: string[]; };
    Removal: { entries: number; payments: number; removing: boolean; reservations: number; schedules: number; seats: number; };
    SeatsState: { blocked: number; layout_version: number; reserved: boolean; schedule_id: number; seats_version: number; sections: components['schemas']['SectionState'][]; total: number; };
    SectionState: { blocked: number; name: string; rows: number; seat_price: number; seats: number; };
    BeforeAfter: { after: number; before: number; };
    SeatsEffect: { blocked: components['schemas']['BeforeAfter']; changed: number; dry_run: boolean; kept: number; seats: components['schemas']['BeforeAfter']; takings: components['schemas']['BeforeAfter']; };
    PriceChange: { row?: string; seat_price: number; seat_price_now?: number; section: string; };
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
    /**
     * @description The order of admission.
     * @enum {string}
     */
    EntryOrder: 'FIFO' | 'DRAW';
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
      /**
       * Format: date-time
       * @description When the queue opened.
       */
      queue_opens_at: string;
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
      /** @description Title of the concert. */
      title: string;
      /**
       * @deprecated
       * @description The former name of `rejections`.
       */
      turned_away: components['schemas']['RejectionCount'][];
      /** @description Whether newer figures are being computed. They are in a later answer. */
      updating: boolean;
      /** @description Waits from joining to the first admission. */
      waits: components['schemas']['Waits'];
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
      /**
       * Format: int64
       * @description Limit of admissions per second.
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
    /**
     * @description Why a balance changed.
     * @enum {string}
     */
    Kind: 'CHARGE' | 'PAYMENT' | 'REFUND';
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
    Job: {
      id: number;
      kind: string;
      schedule_id: number | null;
      user_id: number | null;
      parameters: Record<string, never>;
      requested_by: number;
      requested_by_name: string;
      state: 'PENDING' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED';
      cancellable: boolean;
      total: number | null;
      done: number;
      figures: Record<string, never>;
      error: string | null;
      failures: number;
      created_at: string;
      started_at: string | null;
      finished_at: string | null;
    };
    RefundPreview: {
      schedule_id: number;
      seats: number;
      buyers: number;
      amount: number;
      held_seats: number;
      refunded_seats: number;
      selling: boolean;
      job_id: number | null;
      server_time: string;
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
    /**
     * @description By what something was found.
     * @enum {string}
     */
    MatchedBy: 'USER' | 'NAME' | 'RESERVATION' | 'PAYMENT' | 'HOLD' | 'TICKET' | 'SEAT';
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
    /** @description A concert to create. */
    NewConcert: {
      draft?: boolean;
      /** @description Description, up to 10,000 characters. */
      description?: string;
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
      draft?: boolean;
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
    /** @description The user of the queue entry. */
    Owner: {
      id: components['schemas']['UserId'];
      name: string;
    };
    /** @description Why admission goes as it goes, with the figures of the sentence. */
    Pace: {
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
    /**
     * @description Status of a payment.
     * @enum {string}
     */
    PaymentStatus: 'COMPLETE' | 'REFUNDED';
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
    /** @description Changes to queue settings. Absent fields keep their values. */
    QueueChange: {
      /**
       * Format: int32
       * @description Time from admission until the active slot expires, in seconds.
       *     New schedules: 600.
       */
      active_ttl_seconds?: number;
      /**
       * Format: int32
       * @description Limit of admissions per second.
       *     New schedules: 50.
       */
      admit_per_second?: number;
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
      /**
       * Format: int32
       * @description Limit of admissions per second.
       */
      admit_per_second: number;
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
      /** @description Id of the schedule. */
      id: components['schemas']['ScheduleId'];
      /** @description Queue settings. */
      queue: components['schemas']['QueueSettings'];
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
      state: ('AVAILABLE' | 'HELD' | 'SOLD' | 'GUEST' | 'BLOCKED') & Record<string, unknown>;
    };
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
    SeatsAnswer: components['schemas']['SeatMap'] | components['schemas']['SeatChanges'];
    /** @description Result of blocking or unblocking seats. */
    SeatsBlocked: {
      /** @description Number of seats whose state changed. */
      changed: number;
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
export type AdmissionBlock = components['schemas']['AdmissionBlock'];
export type Alert = components['schemas']['Alert'];
export type AlertKind = components['schemas']['AlertKind'];
export type Answered = components['schemas']['Answered'];
export type AuditEntry = components['schemas']['AuditEntry'];
export type Balance = components['schemas']['Balance'];
export type BestSeats = components['schemas']['BestSeats'];
export type BlockedSeats = components['schemas']['BlockedSeats'];
export type Blocking = components['schemas']['Blocking'];
export type BuyerEntry = components['schemas']['BuyerEntry'];
export type BuyerProfile = components['schemas']['BuyerProfile'];
export type BuyerReservation = components['schemas']['BuyerReservation'];
export type Call = components['schemas']['Call'];
export type Change = components['schemas']['Change'];
export type ChangedSeat = components['schemas']['ChangedSeat'];
export type ChargeBody = components['schemas']['ChargeBody'];
export type Charged = components['schemas']['Charged'];
export type Concert = components['schemas']['Concert'];
export type ConcertChange = components['schemas']['ConcertChange'];
export type ConcertId = components['schemas']['ConcertId'];
export type ConcertStatus = components['schemas']['ConcertStatus'];
export type Delivery = components['schemas']['Delivery'];
export type DeliveryStatus = components['schemas']['DeliveryStatus'];
export type DisabledReason = components['schemas']['DisabledReason'];
export type DrawView = components['schemas']['DrawView'];
export type EntryOrder = components['schemas']['EntryOrder'];
export type EventReport = components['schemas']['EventReport'];
export type EventType = components['schemas']['EventType'];
export type Faster = components['schemas']['Faster'];
export type FeedChange = components['schemas']['FeedChange'];
export type FeedEvent = components['schemas']['FeedEvent'];
export type FeedPage = components['schemas']['FeedPage'];
export type FeedState = components['schemas']['FeedState'];
export type FieldError = components['schemas']['FieldError'];
export type GivenSeat = components['schemas']['GivenSeat'];
export type GivenSeats = components['schemas']['GivenSeats'];
export type Giving = components['schemas']['Giving'];
export type GuestSeat = components['schemas']['GuestSeat'];
export type HandOffCode = components['schemas']['HandOffCode'];
export type Health = components['schemas']['Health'];
export type HistoryEvent = components['schemas']['HistoryEvent'];
export type HistoryKind = components['schemas']['HistoryKind'];
export type Hold = components['schemas']['Hold'];
export type HoldBody = components['schemas']['HoldBody'];
export type HoldView = components['schemas']['HoldView'];
export type InForce = components['schemas']['InForce'];
export type Kind = components['schemas']['Kind'];
export type LineReport = components['schemas']['LineReport'];
export type LoopHealth = components['schemas']['LoopHealth'];
export type MapSeat = components['schemas']['MapSeat'];
export type MatchedBy = components['schemas']['MatchedBy'];
export type MovedReservation = components['schemas']['MovedReservation'];
export type Moving = components['schemas']['Moving'];
export type NamedSeat = components['schemas']['NamedSeat'];
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
export type Owner = components['schemas']['Owner'];
export type Pace = components['schemas']['Pace'];
export type PaceReason = components['schemas']['PaceReason'];
export type Page_Alert = components['schemas']['Page_Alert'];
export type Page_AuditEntry = components['schemas']['Page_AuditEntry'];
export type Page_BuyerEntry = components['schemas']['Page_BuyerEntry'];
export type Page_BuyerReservation = components['schemas']['Page_BuyerReservation'];
export type Page_Change = components['schemas']['Page_Change'];
export type Page_Concert = components['schemas']['Page_Concert'];
export type Page_Delivery = components['schemas']['Page_Delivery'];
export type Page_GuestSeat = components['schemas']['Page_GuestSeat'];
export type Page_HistoryEvent = components['schemas']['Page_HistoryEvent'];
export type Page_Payment = components['schemas']['Page_Payment'];
export type Page_Reservation = components['schemas']['Page_Reservation'];
export type Page_ScheduleView = components['schemas']['Page_ScheduleView'];
export type Page_Webhook = components['schemas']['Page_Webhook'];
export type Paid = components['schemas']['Paid'];
export type Part = components['schemas']['Part'];
export type PayBody = components['schemas']['PayBody'];
export type Payment = components['schemas']['Payment'];
export type PaymentId = components['schemas']['PaymentId'];
export type PaymentStatus = components['schemas']['PaymentStatus'];
export type Percentile = components['schemas']['Percentile'];
export type Person = components['schemas']['Person'];
export type Phase = components['schemas']['Phase'];
export type Problem = components['schemas']['Problem'];
export type ProblemDescription = components['schemas']['ProblemDescription'];
export type ProblemDescriptions = components['schemas']['ProblemDescriptions'];
export type PublicBoard = components['schemas']['PublicBoard'];
export type QueueChange = components['schemas']['QueueChange'];
export type QueueSettings = components['schemas']['QueueSettings'];
export type RecoveryCodeAnswer = components['schemas']['RecoveryCodeAnswer'];
export type Redeeming = components['schemas']['Redeeming'];
export type Refunded = components['schemas']['Refunded'];
export type RefundedOrder = components['schemas']['RefundedOrder'];
export type Refunding = components['schemas']['Refunding'];
export type ReissuedCode = components['schemas']['ReissuedCode'];
export type ReissuedPlace = components['schemas']['ReissuedPlace'];
export type Reissuing = components['schemas']['Reissuing'];
export type RejectionCount = components['schemas']['RejectionCount'];
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
export type SeatStatus = components['schemas']['SeatStatus'];
export type SeatsAdded = components['schemas']['SeatsAdded'];
export type SeatsAnswer = components['schemas']['SeatsAnswer'];
export type SeatsBlocked = components['schemas']['SeatsBlocked'];
export type SectionPrice = components['schemas']['SectionPrice'];
export type SectionReport = components['schemas']['SectionReport'];
export type SellOut = components['schemas']['SellOut'];
export type Sequence = components['schemas']['Sequence'];
export type Series = components['schemas']['Series'];
export type Stats = components['schemas']['Stats'];
export type StatusAnswer = components['schemas']['StatusAnswer'];
export type StoreHealth = components['schemas']['StoreHealth'];
export type StreamCode = components['schemas']['StreamCode'];
export type TakenOverAnswer = components['schemas']['TakenOverAnswer'];
export type Taking = components['schemas']['Taking'];
export type TestSent = components['schemas']['TestSent'];
export type TicketStatus = components['schemas']['TicketStatus'];
export type TicketView = components['schemas']['TicketView'];
export type TimesChange = components['schemas']['TimesChange'];
export type UserAnswer = components['schemas']['UserAnswer'];
export type UserId = components['schemas']['UserId'];
export type Waits = components['schemas']['Waits'];
export type Webhook = components['schemas']['Webhook'];
export type WebhookChange = components['schemas']['WebhookChange'];
export type WebhookId = components['schemas']['WebhookId'];
export type Job = components['schemas']['Job'];
export type RefundPreview = components['schemas']['RefundPreview'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
export type AdminConcert = components['schemas']['AdminConcert'];
export type AdminSchedule = components['schemas']['AdminSchedule'];
export type Publication = components['schemas']['Publication'];
export type Removal = components['schemas']['Removal'];
export type SeatsState = components['schemas']['SeatsState'];
export type SectionState = components['schemas']['SectionState'];
export type BeforeAfter = components['schemas']['BeforeAfter'];
export type SeatsEffect = components['schemas']['SeatsEffect'];
export type PriceChange = components['schemas']['PriceChange'];
