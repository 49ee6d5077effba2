//! The command line of onsale.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
