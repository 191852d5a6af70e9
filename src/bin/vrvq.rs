//! The standalone app.

fn main() -> std::process::ExitCode {
    vrvq::standalone::main()
}
