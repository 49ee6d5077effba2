//! The macro that makes [`ProblemCode`](super::ProblemCode) of the list of codes.

macro_rules! codes {
    ($($name:ident = $code:literal, $status:ident, $title:literal,
        $meaning:literal, $action:literal, $members:tt;)+) => {
        /// A problem code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode {
            $(#[doc = $meaning] $name,)+
        }

        impl ProblemCode {
            /// Every code, in order of status.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The parts that are the same in every problem of this code.
            #[must_use]
            pub fn kind(self) -> ProblemKind {
                match self {
                    $(Self::$name => ProblemKind {
                        code: $code,
                        status: StatusCode::$status,
                        title: $title,
                        meaning: $meaning,
                        action: $action,
                    },)+
                }
            }

            /// The members that this code adds, with example values.
            pub(super) fn members(self) -> Value {
                match self {
                    $(Self::$name => json!($members),)+
                }
            }
        }
    };
}

pub(super) use codes;
