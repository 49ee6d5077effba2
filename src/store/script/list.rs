//! Lists the Lua scripts and the libraries that they share.

macro_rules! scripts {
    ($($name:ident = $path:literal;)+) => {
        /// All Lua scripts. The header of each file says what the script does and what it replies.
        #[expect(missing_docs, reason = "each file's header is its documentation")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Script { $($name),+ }

        impl Script {
            /// All scripts, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The path of the file below `lua/`, without the ending.
            #[must_use]
            pub fn path(self) -> &'static str {
                match self { $(Self::$name => $path),+ }
            }

            pub(super) fn source(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../../../lua/", $path, ".lua"))),+ }
            }
        }
    };
}

scripts! {
    Join = "queue/join";
    JoinMany = "queue/join_many";
    ResolveTicket = "queue/resolve_ticket";
    ResolveMany = "queue/resolve_many";
    Admit = "queue/admit";
    MarkPresent = "queue/mark_present";
    Leave = "queue/leave";
    Complete = "queue/complete";
    Configure = "queue/configure";
    BeginRebuild = "queue/begin_rebuild";
    FinishRebuild = "queue/finish_rebuild";
    Inspect = "queue/inspect";
    RedeemHandOff = "queue/redeem_handoff";
    ListNext = "queue/list_next";
    BeginDraw = "queue/begin_draw";
    MoveDrawn = "queue/move_drawn";
    FinishDraw = "queue/finish_draw";
    ClaimSeats = "seats/claim";
    ReleaseClaims = "seats/release_claims";
    FindClaims = "seats/find_claims";
    ApplySeats = "seats/apply";
    SweepSeats = "seats/sweep";
    RecountSeats = "seats/recount";
    LoadSeats = "seats/load";
    LoadEntries = "queue/load_entries";
}

impl Script {
    /// Whether the script may change whom `queue/admit` can admit, or writes to the queue's log. The
    /// loops of the process that ran it then work on the schedule at once. Others would notice up to
    /// one second later.
    #[must_use]
    pub fn ends_rest(self) -> bool {
        match self {
            Self::Join
            | Self::JoinMany
            | Self::ResolveTicket
            | Self::ResolveMany
            | Self::Leave
            | Self::Complete
            | Self::Configure
            | Self::FinishRebuild
            | Self::BeginDraw
            | Self::MoveDrawn
            | Self::FinishDraw
            | Self::ApplySeats
            | Self::RecountSeats => true,
            Self::Admit
            | Self::MarkPresent
            | Self::BeginRebuild
            | Self::Inspect
            | Self::RedeemHandOff
            | Self::ListNext
            | Self::ClaimSeats
            | Self::ReleaseClaims
            | Self::FindClaims
            | Self::SweepSeats
            | Self::LoadSeats
            | Self::LoadEntries => false,
        }
    }
}

/// Libraries by the name that headers use, in the order in which they are joined.
pub(super) const LIBRARIES: &[(&str, &str)] = &[
    ("lib/guard", include_str!("../../../lua/lib/guard.lua")),
    ("lib/rebuild", include_str!("../../../lua/lib/rebuild.lua")),
    ("lib/queue", include_str!("../../../lua/lib/queue.lua")),
    ("lib/presence", include_str!("../../../lua/lib/presence.lua")),
    ("lib/entry", include_str!("../../../lua/lib/entry.lua")),
    ("lib/sale", include_str!("../../../lua/lib/sale.lua")),
    ("lib/rounds", include_str!("../../../lua/lib/rounds.lua")),
    ("lib/draw", include_str!("../../../lua/lib/draw.lua")),
    ("lib/seats", include_str!("../../../lua/lib/seats.lua")),
    ("lib/user_seats", include_str!("../../../lua/lib/user_seats.lua")),
];
