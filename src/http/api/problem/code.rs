//! The list of problem codes, with the status, the meaning and the client's action for each.
//!
//! Every problem is created from a [`ProblemCode`], so the API cannot send a code that is not in
//! this list. The API's description and the answers at `/problems` come from the same list.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::define_codes::codes;
use super::kind::ProblemKind;

codes! {
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not JSON",
        "The body is not JSON in UTF-8, or it arrived incomplete.",
        "Send one JSON object. `detail` says at which line and column reading stopped.", {};
    IdempotencyKeyRequired = "idempotency_key_required", BAD_REQUEST,
        "This request needs an Idempotency-Key header",
        "The call holds, pays, refunds or charges, and has no `Idempotency-Key` header.",
        "Create one key per operation, and send the same key with every retry.", {};
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "A valid access token is needed",
        "The access token is missing, not valid, or expired. `detail` says which of the three.",
        "Sign in again, and send the token as `Authorization: Bearer`.",
        {"detail": "The access token has expired."};
    TicketInvalid = "ticket_invalid", UNAUTHORIZED, "A valid queue ticket is needed",
        "The queue ticket is missing, not valid, or expired. `detail` says which of the three.",
        "Send the latest `queue_token` as the `Queue-Token` header, or join the queue again.",
        {"detail": "The queue ticket has expired."};
    InsufficientPoints = "insufficient_points", PAYMENT_REQUIRED, "The balance is too low",
        "The balance is lower than the hold's total amount. No points moved.",
        "Charge points, then pay again with a new idempotency key before the hold expires.",
        {"balance": 50_000, "required": 198_000};
    Forbidden = "forbidden", FORBIDDEN, "You may not do this",
        "The token is valid, but its role does not allow this call. A form from another site is \
         refused with this code as well.",
        "Use a token with the role that `required_role` names.",
        {"detail": "This call needs a token with the role admin.", "required_role": "admin"};
    SignupClosed = "signup_closed", FORBIDDEN, "Sign-up is closed",
        "The operator has closed sign-up, or an identity provider manages the users.",
        "Get an access token from the operator's identity provider.", {};
    SessionNotRenewable = "session_not_renewable", FORBIDDEN, "This session cannot be renewed",
        "The access token has no session of a user who signed up here, or the session has ended.",
        "Sign up again, or sign in with a recovery code or at the identity provider.", {};
    RecoveryCodeInvalid = "recovery_code_invalid", FORBIDDEN, "The recovery code is not valid",
        "No user has this recovery code, or a newer code has replaced it.",
        "Check the code for typing errors. Case, spaces and hyphens do not matter.", {};
    TicketNotActive = "ticket_not_active", FORBIDDEN, "The ticket is not active in this schedule",
        "The ticket is still waiting, has ended, or is for another schedule.",
        "Poll `GET /v1/queue/ticket` until `status` is `ACTIVE`, or join again.", {};
    TicketNotYours = "ticket_not_yours", FORBIDDEN, "The ticket belongs to another user",
        "The access token and the queue ticket belong to different users.",
        "Send the ticket together with the token of the user who joined.", {};
    ConcertNotFound = "concert_not_found", NOT_FOUND, "There is no such concert",
        "No concert has this id.", "List the concerts with `GET /v1/concerts`.", {};
    EventNotFound = "event_not_found", NOT_FOUND, "There is no such event",
        "At least one of the events does not exist, or was purged. None is sent.",
        "Leave out events that are older than the retention time.", {};
    HoldNotFound = "hold_not_found", NOT_FOUND, "You have no such hold",
        "No hold has this id, or it belongs to another user.",
        "Use the `hold_id` of your own hold.", {};
    JobNotFound = "job_not_found", NOT_FOUND, "There is no such job",
        "No job has this id.", "List the jobs with `GET /v1/admin/jobs`.", {};
    NotFound = "not_found", NOT_FOUND, "There is nothing here",
        "No route has this path, or an id in the path is malformed.",
        "Check the path against `/openapi.json`.", {};
    PaymentNotFound = "payment_not_found", NOT_FOUND, "You have no such payment",
        "No payment has this id, or it belongs to another user.",
        "List your payments with `GET /v1/payments`.", {};
    RehearsalNotFound = "rehearsal_not_found", NOT_FOUND, "There is no such rehearsal",
        "No rehearsal has this id.", "List the rehearsals of the schedule.", {};
    ReservationNotFound = "reservation_not_found", NOT_FOUND, "You have no such reservation",
        "No reservation has this id, or it belongs to another user.",
        "List your reservations with `GET /v1/reservations`.", {};
    ScheduleNotFound = "schedule_not_found", NOT_FOUND, "There is no such schedule",
        "No schedule has this id.",
        "List the schedules with `GET /v1/concerts/{id}/schedules`.", {};
    SeatNotFound = "seat_not_found", NOT_FOUND, "There is no such seat in this schedule",
        "A seat id does not belong to this schedule.",
        "Take seat ids from `GET /v1/schedules/{id}/seats/layout`.", {};
    GuestNotFound = "guest_not_found", NOT_FOUND, "No guest has this reservation",
        "No reservation has this id, or its seat was not given to a guest.",
        "Take the id from the list of guests.", {};
    UserNotFound = "user_not_found", NOT_FOUND, "There is no such user",
        "No user has this id, or the user was erased.", "Search for the user by name.", {};
    WebhookNotFound = "webhook_not_found", NOT_FOUND, "There is no such webhook endpoint",
        "No endpoint has this id, or it was deleted.", "Take the id from the list of endpoints.", {};
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This method is not allowed here",
        "The path exists, but not with this method.",
        "Use a method that the `Allow` header lists.", {};
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT, "The body did not arrive in time",
        "The body did not arrive within the request timeout. The connection is closed.",
        "Send the request again over a new connection.", {};
    AlreadyPaid = "already_paid", CONFLICT, "The hold is already paid",
        "An earlier request has paid the hold.",
        "Show the reservations; do not pay again.", {};
    AlreadyRevoked = "already_revoked", CONFLICT, "The seat was taken back before",
        "The seat was taken back from the guest before.", "Nothing is left to do.", {};
    AlreadyRefunded = "already_refunded", CONFLICT, "The payment is already refunded",
        "An earlier request has refunded the payment.",
        "Show the balance; nothing is left to do.", {};
    BeingRemoved = "being_removed", CONFLICT, "It is being removed",
        "An administrator is removing this concert or schedule, so it can no longer be changed.",
        "Do not send the change again.", {};
    ConcertUnavailable = "concert_unavailable", CONFLICT, "The concert is withdrawn",
        "The organiser has withdrawn the concert. Nobody can join, and no new hold is possible.",
        "Tell the buyer. Existing holds can still be paid.", {};
    DrawNotFrozen = "draw_not_frozen", CONFLICT, "The list of entrants is not frozen",
        "The sale has not opened, its list is not complete yet, or its entry order is not a draw.",
        "Repeat the request after the sale has opened.", {};
    EventFeedOff = "event_feed_off", CONFLICT, "The event feed is off",
        "No event would ever appear, because the feed is turned off.",
        "Turn it on with `PATCH /v1/admin/event-feed`.", {};
    HandoffInvalid = "handoff_invalid", CONFLICT, "The hand-off code is not valid",
        "The code is forged or expired, or was made before Redis lost its data.",
        "Make a new code with `POST /v1/queue/ticket/handoff`.", {};
    HandoffUsed = "handoff_used", CONFLICT, "The hand-off code is already used",
        "A device has used this code. Each code works once.",
        "Make a new code with `POST /v1/queue/ticket/handoff`.", {};
    HasBuyers = "has_buyers", CONFLICT, "Buyers have seats of it",
        "`paid` seats are paid or given to guests, and `held` seats are held by buyers who may still \
         pay. Only a concert or a schedule without either can be removed. Nothing changed.",
        "Refund the payments, take seats back from guests, wait until holds have ended, try again.",
        {"paid": 2, "held": 1};
    HoldNotPaid = "hold_not_paid", CONFLICT, "The hold is not paid",
        "The hold has no payments: it was not paid, or its seats were given to a guest.",
        "Release an unpaid hold, or take the seats back from the guest.", {};
    HoldExpired = "hold_expired", CONFLICT, "The hold has expired",
        "The hold expired or was released before this payment.", "Hold seats again.", {};
    JobExists = "job_exists", CONFLICT, "The same work is already being done",
        "The job `job_id` does the same for this schedule or user, and is not finished.",
        "Follow that job, or cancel it first.", {"job_id": 7};
    JobNotCancellable = "job_not_cancellable", CONFLICT, "The job cannot be cancelled",
        "The job is done or has failed, or it is of a kind that cannot be stopped halfway.",
        "Look at the state of the job.", {};
    LineIsOpen = "line_is_open", CONFLICT, "The entry order is fixed once the queue is open",
        "`entry_order` cannot change after `queue_opens_at`.",
        "Leave `entry_order` out of the change.", {};
    NotInQueue = "not_in_queue", CONFLICT, "The user has no place in this queue",
        "The user has not joined this queue, or the place has ended.",
        "Ask the buyer to join, or make a recovery code for their tickets.", {};
    OtherPrice = "other_price", CONFLICT, "The seats have different prices",
        "A buyer is moved only to a seat of the same price. They cost `price` and `new_price`.",
        "Choose a seat that costs `price`.", {"price": 99_000, "new_price": 69_000};
    ReservationNotComplete = "reservation_not_complete", CONFLICT, "Nobody owns this seat",
        "The reservation is not paid, or its seat was given back.",
        "Move only reservations with the status `COMPLETE`.", {};
    SameSeat = "same_seat", CONFLICT, "The reservation has this seat",
        "The reservation has this seat, so nothing is to be moved.", "Choose another seat.", {};
    SeatNotFree = "seat_not_free", CONFLICT, "Some of these seats are not free",
        "The seats in `seat_ids` are held or sold; a buyer is not moved to a blocked seat either.",
        "Choose other seats.", {"seat_ids": [2]};
    SeatReturned = "seat_returned", CONFLICT, "This order had the seat, and gave it back",
        "A seat is in a hold once, and the buyer's hold had this seat before.",
        "Choose another seat.", {};
    SignsInElsewhere = "signs_in_elsewhere", CONFLICT, "An identity provider signs the user in",
        "The user has no recovery code, since an identity provider signs them in.",
        "Send the buyer to the identity provider's own recovery.", {};
    NotEnoughSeats = "not_enough_seats", CONFLICT, "There are not enough such seats",
        "Fewer seats than `quantity` are free in this section and up to this price.",
        "Request fewer seats, another section, or a higher price.", {};
    NotPublishable = "not_publishable", CONFLICT, "The sale would be impossible",
        "`obstacles` lists everything that would make the sale impossible. Nothing changed.",
        "Remove every obstacle, then publish again.",
        {"obstacles": ["no_seats", "sale_is_over"]};
    OwnUser = "own_user", CONFLICT, "You cannot erase yourself",
        "The caller's own user cannot be erased by the caller.",
        "Let another administrator do it.", {};
    QueueNotOpen = "queue_not_open", CONFLICT, "The queue is not open yet",
        "Joining starts at `opens_at`.", "Join at `opens_at`.",
        {"opens_at": "2026-11-22T10:30:00Z"};
    RefundClosed = "refund_closed", CONFLICT, "The time for refunds is over",
        "The schedule's `deadline_at` has passed.", "Contact the organiser.", {};
    RehearsalRunning = "rehearsal_running", CONFLICT, "Another rehearsal is not over",
        "One rehearsal runs at a time, until its shadow is removed.", "Try again later.", {};
    RequestInProgress = "request_in_progress", CONFLICT, "A request under this key is in progress",
        "The first request with this idempotency key has not finished.",
        "Wait as long as `Retry-After` says, then send the same request with the same key.", {};
    SaleIsOpen = "sale_is_open", CONFLICT, "Other sales are open",
        "People buy or wait in the sales in `schedule_ids`, which a rehearsal may make slower.",
        "Wait, or confirm it with `beside_open_sales`.", {"schedule_ids": [3]};
    ScheduleClosed = "schedule_closed", CONFLICT, "The sale is over",
        "The schedule's `deadline_at` has passed.", "Choose another schedule.", {};
    ScheduleNotOpen = "schedule_not_open", CONFLICT, "The sale is not open yet",
        "The schedule's `reservation_available_at` is in the future.",
        "Hold seats after `reservation_available_at`.", {};
    SeatInUse = "seat_in_use", CONFLICT, "Buyers hold or own some of these seats",
        "Seats with a live reservation cannot be blocked. `seat_ids` lists them. Nothing changed.",
        "Leave these seats out.", {"seat_ids": [2]};
    SeatTaken = "seat_taken", CONFLICT, "Another buyer has these seats",
        "Another buyer holds or owns the seats in `seat_ids`. None of the requested seats is held.",
        "Choose other seats.", {"seat_ids": [2]};
    SeatsReserved = "seats_reserved", CONFLICT, "The schedule has reservations",
        "The seats of a schedule can be replaced and removed until its first reservation, which \
         also counts when it has ended.",
        "Change prices of free seats, or block seats.", {};
    SoldOut = "sold_out", CONFLICT, "Every seat is sold",
        "Every seat is sold or blocked, so the queue accepts no new joins.",
        "Try again later: a refund frees its seat.", {};
    UserHasEntitlements = "user_has_entitlements", CONFLICT, "The user has something to lose",
        "The user holds seats, or has paid seats or a balance and does not give them up.",
        "Wait until holds have ended. Refund or use up the rest, or send `give_up_entitlements`.",
        {"held_seats": 0, "tickets": 2, "balance": 1500};
    WebhookDisabled = "webhook_disabled", CONFLICT, "The webhook endpoint is disabled",
        "A disabled endpoint gets no messages.", "Enable the endpoint first.", {};
    WebhookLimit = "webhook_limit", CONFLICT, "There are too many webhook endpoints",
        "There are `limit` endpoints, which is the most.", "Delete an endpoint first.", {"limit": 50};
    EventsExpired = "events_expired", GONE, "Events after the cursor were purged",
        "Events are kept for a limited time. Some after the cursor are no longer there.",
        "Compare your data with the service's, then go on from `oldest_after`.",
        {"oldest_after": "AAAAAAAAEN0"};
    EntrantsRemoved = "entrants_removed", GONE, "The list of entrants was removed",
        "The concert was long ago, and the operator no longer keeps the entrants of its draw.",
        "Check a copy of the list that was made before, with `onsale draw verify`.", {};
    ChangedMeanwhile = "changed_meanwhile", PRECONDITION_FAILED, "It has changed meanwhile",
        "The state is not the one that `If-Match` names. `current` is the state now, and `etag` its \
         tag. Nothing changed.",
        "Compare your change with `current`. To apply it all the same, send `etag` as `If-Match`.",
        {"current": {"capacity": 400}, "etag": "\"4mJ0aN1c9cN1Zc0n\""};
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "A body may have at most 64 KiB, a list of seats in administration at most 16 MiB.",
        "Send less, or split the list into several calls.", {};
    UnsupportedEncoding = "unsupported_encoding", UNSUPPORTED_MEDIA_TYPE,
        "Bodies in this content encoding are not accepted",
        "The request has a `Content-Encoding` other than `identity`, such as `gzip` or `br`.",
        "Send the body uncompressed.", {};
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE,
        "The body must be application/json in UTF-8",
        "`Content-Type` is missing, is not JSON, or names a charset other than UTF-8.",
        "Send `Content-Type: application/json`.", {};
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY,
        "The key was used for another request",
        "An earlier request with this key had another path or body.",
        "Use a new key for each new operation.", {};
    InvalidAmount = "invalid_amount", UNPROCESSABLE_ENTITY, "An amount is from 1 to 10,000,000",
        "The amount to charge is out of range.", "Charge from 1 to 10,000,000 points.", {};
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "The request is not valid",
        "Fields, query parameters or headers are unknown, missing, of a wrong type or out of \
         range. `errors` lists each: `pointer` is a JSON Pointer into the body, or `/` and the \
         name of a query parameter or header.",
        "Correct every entry of `errors`.",
        {"errors": [{"pointer": "/quantity", "detail": "must be a whole number from 1 to 100"}]};
    InvalidTimes = "invalid_times", UNPROCESSABLE_ENTITY, "The times do not fit together",
        "The queue opens at or before `reservation_available_at`, which is before `deadline_at`, \
         which is not after `concert_at`. `detail` names the pair in the wrong order.",
        "Correct the times.", {"detail": "deadline_at must not be after concert_at"};
    NoSettingsFound = "no_settings_found", UNPROCESSABLE_ENTITY, "No settings sell the seats in time",
        "No capacity and rate sell 99 of 100 seats in this time: too few people buy, or too late.",
        "Allow more time, or expect more people.", {};
    SeatLimitExceeded = "seat_limit_exceeded", UNPROCESSABLE_ENTITY,
        "This is more seats than one user may have",
        "The user's held and paid seats of this schedule would exceed `limit`.",
        "Hold fewer seats.", {"limit": 4};
    SimulationTooLong = "simulation_too_long", UNPROCESSABLE_ENTITY,
        "The simulation takes too long", "The simulation did not end within its time limit.",
        "Lower `most_simulated` or `seeds`, or run `onsale simulate`, which has no time limit.", {};
    HoldLimit = "hold_limit", TOO_MANY_REQUESTS,
        "These seats were held too often without payment",
        "The user has held the same seats several times without paying.",
        "Choose other seats, or wait as long as `Retry-After` says.", {};
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests",
        "A quota of this user or this address is used up, or it has too many connections. \
         `RateLimit-Policy` and `RateLimit` name the quota.",
        "Wait as long as `Retry-After` says.", {};
    InternalError = "internal_error", INTERNAL_SERVER_ERROR, "Something went wrong on our side",
        "The service has a defect. Its log has the reason, under the id in `instance`.",
        "Report the `instance` to the operator.", {};
    NotReady = "not_ready", SERVICE_UNAVAILABLE, "Not ready to serve",
        "`GET /readyz` only: the dependencies in `failing` do not answer or do not match, or the \
         process is `draining`.",
        "Route no traffic to this process until it is ready.", {"failing": ["redis"]};
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too busy at the moment",
        "The process has too many requests in progress, or the answer took too long.",
        "Wait as long as `Retry-After` says; repeat with the same idempotency key.", {};
    ReportPending = "report_pending", SERVICE_UNAVAILABLE, "The report is being computed",
        "The first report of this schedule is being computed. Of a large sale, this takes a while. \
         Later reports are answered at once.",
        "Wait as long as `Retry-After` says, then ask again.", {};
    SimulationBusy = "simulation_busy", SERVICE_UNAVAILABLE, "Another simulation is running",
        "A process simulates one sale at a time, so that simulations never delay a real one.",
        "Wait as long as `Retry-After` says, then send the request again.", {};
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE,
        "A store is not available at the moment",
        "Redis or PostgreSQL is down or slow. Nothing is half done.",
        "Wait as long as `Retry-After` says; repeat with the same idempotency key.", {};
}
