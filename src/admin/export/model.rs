//! What is exported, and in which format.

use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

/// The records of a schedule that can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// One row per buyer.
    Buyers,
    /// One row per reservation, whatever became of it.
    Reservations,
    /// One row per payment.
    Payments,
    /// One row per movement of points: payments of holds, and refunds.
    Points,
    /// One row per queue entry that was admitted.
    Admissions,
}

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CSV by RFC 4180, in UTF-8 with a byte order mark.
    Csv,
    /// One JSON object per line.
    JsonLines,
}

/// A file that can be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportFile {
    /// Its records.
    pub export: Export,
    /// Its format.
    pub format: Format,
}

impl ExportFile {
    /// The file with this name, such as `payments.csv`.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let (export, format) = name.split_once('.')?;
        let export = match export {
            "buyers" => Export::Buyers,
            "reservations" => Export::Reservations,
            "payments" => Export::Payments,
            "points" => Export::Points,
            "admissions" => Export::Admissions,
            _ => return None,
        };
        let format = match format {
            "csv" => Format::Csv,
            "jsonl" => Format::JsonLines,
            _ => return None,
        };
        Some(Self { export, format })
    }
}

/// A page of an export as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPage {
    /// Whole lines; may be empty.
    pub text: String,
    /// Where the next page begins; `None` if this is the last one.
    pub next: Option<i64>,
}

/// Where an export begins.
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Begin after the row with this `cursor`. A CSV file then has no first line.
    #[garde(inner(range(min = 0)))]
    #[param(minimum = 0)]
    pub after: Option<i64>,
}
