//! The scripts there are, and what several of them share.

macro_rules! scripts {
    ($($name:ident = $path:literal;)+) => {
        /// Every script there is; the file of the same name says what it does and replies.
        #[expect(missing_docs, reason = "each file's header is its documentation")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Script { $($name),+ }

        impl Script {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Where it lies below `lua/`, without the ending.
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
    Ticket = "queue/ticket";
    Admit = "queue/admit";
    MarkPresent = "queue/mark_present";
    Leave = "queue/leave";
    Complete = "queue/complete";
    Configure = "queue/configure";
    Restore = "queue/restore";
    Ready = "queue/ready";
    Inspect = "queue/inspect";
    HandOff = "queue/handoff";
    Next = "queue/next";
    DrawBegin = "queue/draw_begin";
    DrawMove = "queue/draw_move";
    DrawEnd = "queue/draw_end";
    Take = "hold/take";
    Drop = "hold/drop";
    Apply = "hold/apply";
    Sweep = "hold/sweep";
    Recount = "hold/recount";
    LoadSeats = "hold/load";
    LoadPlaces = "queue/load";
}

/// Shared text, by the name that a header lists it under, in the order in which it is put together.
pub(super) const LIBRARIES: &[(&str, &str)] = &[
    ("lib/guard", include_str!("../../../lua/lib/guard.lua")),
    ("lib/rebuild", include_str!("../../../lua/lib/rebuild.lua")),
    ("lib/line", include_str!("../../../lua/lib/line.lua")),
    ("lib/presence", include_str!("../../../lua/lib/presence.lua")),
    ("lib/place", include_str!("../../../lua/lib/place.lua")),
    ("lib/sale", include_str!("../../../lua/lib/sale.lua")),
    ("lib/draw", include_str!("../../../lua/lib/draw.lua")),
    ("lib/seats", include_str!("../../../lua/lib/seats.lua")),
    ("lib/user_seats", include_str!("../../../lua/lib/user_seats.lua")),
];
