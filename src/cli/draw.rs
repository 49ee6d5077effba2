//! `onsale draw verify`: checks a published draw against its secret, its commitment and its list of
//! entrants.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use onsale::queue::draw::model::{commitment, order};
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub enum DrawCommand {
    /// Check a draw offline, and print the rank of each ticket
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Secret of the draw, which is published when the sale opens
    #[arg(long, value_name = "HEX")]
    secret: String,
    /// Commitment that was published before the draw
    #[arg(long, value_name = "HEX")]
    commitment: String,
    /// File with the list of entrants, one ticket id per line; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    entrants: PathBuf,
    /// Print only the rank of this ticket
    #[arg(long, value_name = "ID")]
    ticket: Option<Uuid>,
}

/// Why a draw does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// An argument is not hex.
    #[error("the {0} is not hex")]
    NotHex(&'static str),
    /// The commitment is not the hash of the secret.
    #[error("the secret does not match the commitment: the draw does not verify")]
    OtherSecret,
    /// The list cannot be read.
    #[error("{0}: {1}")]
    Unread(PathBuf, std::io::Error),
    /// A line of the list is not a ticket id.
    #[error("line {0} of the entrants is not a ticket id")]
    NoTicket(usize),
    /// A ticket is listed twice.
    #[error("{0} is listed twice: the list does not verify")]
    Twice(Uuid),
    /// The ticket is not in the list.
    #[error("{0} is not among the {1} entrants")]
    Absent(Uuid, usize),
}

/// Checks the draw, and returns the text to print: `<rank> <ticket id>` per line.
pub fn verify(args: &VerifyArgs) -> Result<String, VerifyError> {
    let secret = hex::decode(args.secret.trim()).map_err(|_| VerifyError::NotHex("secret"))?;
    let published =
        hex::decode(args.commitment.trim()).map_err(|_| VerifyError::NotHex("commitment"))?;
    if commitment(&secret) != published {
        return Err(VerifyError::OtherSecret);
    }
    let text =
        read(&args.entrants).map_err(|error| VerifyError::Unread(args.entrants.clone(), error))?;
    let parse = |(index, line): (usize, &str)| {
        line.trim().parse().map_err(|_| VerifyError::NoTicket(index + 1))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let tickets: Vec<Uuid> = lines.map(parse).collect::<Result<_, _>>()?;
    let mut sorted = tickets.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|two| two[0] == two[1]) {
        return Err(VerifyError::Twice(twice[0]));
    }
    let drawn = order(&secret, &tickets).into_iter();
    let drawn = drawn.filter_map(|index| tickets.get(usize::try_from(index).ok()?));
    let is_printed = |(_, id): &(usize, &Uuid)| args.ticket.is_none_or(|ticket| ticket == **id);
    let ranks: Vec<String> =
        (1..).zip(drawn).filter(is_printed).map(|(rank, id)| format!("{rank} {id}\n")).collect();
    match args.ticket {
        Some(ticket) if ranks.is_empty() => Err(VerifyError::Absent(ticket, tickets.len())),
        _ => Ok(ranks.concat()),
    }
}

fn read(path: &PathBuf) -> std::io::Result<String> {
    if path.as_os_str() != "-" {
        return std::fs::read_to_string(path);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
