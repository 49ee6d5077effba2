//! The command line of onsale.

// They panic once the reader has gone: `cli::output` does not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cli;

/// The allocator: requests make many small allocations, and mimalloc makes them cheaper
/// (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
