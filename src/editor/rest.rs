//! Whether sound is asked for at all: a host may leave a plug-in alone while it neither plays nor monitors.

use crate::engine::Telemetry;

/// Seconds without a block after which nothing is asked for; the longest blocks come more seldom at low rates only.
const PATIENCE: f64 = 2.0;

pub const HINT: &str = "No sound is asked for just now. A host may run the plug-in only while it plays or monitors the track, \
                        and some take what is turned meanwhile only then.";

/// Blocks as last looked at, and when they had last moved.
#[derive(Default)]
pub struct Rest {
    blocks: u32,
    moved: Option<f64>,
}

impl Rest {
    /// Whether none came for a while, at `now` in seconds of the view's clock.
    pub fn look(&mut self, telemetry: &Telemetry, now: f64) -> bool {
        let blocks = telemetry.blocks();
        if self.blocks != blocks {
            (self.blocks, self.moved) = (blocks, Some(now));
        }
        now - *self.moved.get_or_insert(now) > PATIENCE
    }
}
