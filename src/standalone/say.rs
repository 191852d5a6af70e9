//! Lines on standard output. Whoever read them may have gone (`vrvq --headless | head`), and then they are nobody's
//! loss: what is decoded is still written to the end.

/// As `println!`, but where nobody reads any more nothing happens.
macro_rules! say {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($line)*);
    }};
}

pub(super) use say;
