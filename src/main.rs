//! The command line of onsale.

mod cli;

/// Requests are many small allocations, which this takes a good part of the cost off
/// (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
