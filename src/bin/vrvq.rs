//! The program: the command line, and without a command the app.

fn main() -> std::process::ExitCode {
    vrvq::cli::main()
}
