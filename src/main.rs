//! The command line of onsale.

#![warn(clippy::print_stdout)] // It panics once the reader has gone: `cli::output` does not.

mod cli;

/// The allocator: requests make many small allocations, and mimalloc makes them cheaper
/// (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
