//! Who reads the catalogue, and what they see of it.

/// Who reads the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Sees what is published.
    Public,
    /// Sees drafts too, and what is being removed.
    Administrators,
}

impl Audience {
    /// Whether it sees drafts, and what is being removed.
    #[must_use]
    pub fn sees_hidden(self) -> bool {
        self == Self::Administrators
    }
}

/// Why the public does not see a schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// It is not published.
    pub draft: bool,
    /// Its concert is not published, so neither is it.
    pub concert_draft: bool,
    /// Its removal has begun.
    pub removing: bool,
}

impl Hidden {
    /// Whether `audience` sees the schedule.
    #[must_use]
    pub fn is_visible_to(self, audience: Audience) -> bool {
        audience.sees_hidden() || self == Self::default()
    }
}
