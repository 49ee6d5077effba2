//! `onsale draw verify`: holds a published draw against its list, with nothing but the three files.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use onsale::queue::draw::model::{commitment, order};
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub enum DrawCommand {
    /// Check a draw offline, and print where tickets fell
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The secret, as the draw tells it once it is open
    #[arg(long, value_name = "HEX")]
    secret: String,
    /// The commitment that was public before
    #[arg(long, value_name = "HEX")]
    commitment: String,
    /// The list of entrants, a ticket id a line; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    entrants: PathBuf,
    /// Print the place of this ticket only
    #[arg(long, value_name = "ID")]
    ticket: Option<Uuid>,
}

/// Why a draw does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Not hex.
    #[error("the {0} is not hex")]
    NotHex(&'static str),
    /// Another secret than the one committed to.
    #[error("the secret is not the one that the commitment was made of: the draw does not verify")]
    OtherSecret,
    /// The list cannot be read.
    #[error("{0}: {1}")]
    Unread(PathBuf, std::io::Error),
    /// A line of the list is none of it.
    #[error("line {0} of the entrants is not a ticket id")]
    NoTicket(usize),
    /// Listed twice.
    #[error("{0} is listed twice: the list does not verify")]
    Twice(Uuid),
    /// Not on the list.
    #[error("{0} is not among the {1} entrants")]
    Absent(Uuid, usize),
}

/// What is printed: `<place> <ticket id>` a line.
pub fn verify(args: &VerifyArgs) -> Result<String, VerifyError> {
    let secret = hex::decode(args.secret.trim()).map_err(|_| VerifyError::NotHex("secret"))?;
    let public =
        hex::decode(args.commitment.trim()).map_err(|_| VerifyError::NotHex("commitment"))?;
    if commitment(&secret) != public {
        return Err(VerifyError::OtherSecret);
    }
    let text =
        read(&args.entrants).map_err(|error| VerifyError::Unread(args.entrants.clone(), error))?;
    let parse = |(index, line): (usize, &str)| {
        line.trim().parse().map_err(|_| VerifyError::NoTicket(index + 1))
    };
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let tickets: Vec<Uuid> = filled.map(parse).collect::<Result<_, _>>()?;
    let mut sorted = tickets.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|two| two[0] == two[1]) {
        return Err(VerifyError::Twice(twice[0]));
    }
    let drawn = order(&secret, &tickets).into_iter();
    let drawn = drawn.filter_map(|index| tickets.get(usize::try_from(index).ok()?));
    let wanted = |(_, id): &(usize, &Uuid)| args.ticket.is_none_or(|ticket| ticket == **id);
    let lines: Vec<String> =
        (1..).zip(drawn).filter(wanted).map(|(place, id)| format!("{place} {id}\n")).collect();
    match args.ticket {
        Some(ticket) if lines.is_empty() => Err(VerifyError::Absent(ticket, tickets.len())),
        _ => Ok(lines.concat()),
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
