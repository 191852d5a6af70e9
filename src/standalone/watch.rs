//! Notices when a device is gone.

use super::devices::Direction;
use super::session::Session;
use cpal::ErrorKind;
use std::time::{Duration, Instant};

/// A stream that asks for nothing this long is dead, whatever its system says.
const SILENCE: Duration = Duration::from_secs(3);

/// What became of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The streams are of no more use.
    Lost(String),
    /// Something to tell; the streams go on.
    Note(String),
}

/// Watches one session.
#[derive(Debug)]
pub struct Watch {
    blocks: u64,
    since: Instant,
}

impl Watch {
    /// For a session that was just opened.
    pub fn new() -> Self {
        Self { blocks: 0, since: Instant::now() }
    }

    /// The next trouble, if any. To be called a few times a second.
    pub fn check(&mut self, session: &mut Session) -> Option<Trouble> {
        if let Some((direction, error)) = session.take_error() {
            let name = match direction {
                Direction::Input => session.input.as_deref().unwrap_or("?"),
                Direction::Output => &session.output,
            };
            return Some(match error.kind() {
                ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => Trouble::Note(format!("{name}: {error}")),
                _ => Trouble::Lost(format!("{direction} device \"{name}\" stopped: {error}")),
            });
        }
        let blocks = session.stats.blocks();
        if blocks != self.blocks {
            (self.blocks, self.since) = (blocks, Instant::now());
        } else if self.since.elapsed() > SILENCE {
            self.since = Instant::now();
            return Some(Trouble::Lost(format!("output device \"{}\" gives no sign any more", session.output)));
        }
        None
    }
}
