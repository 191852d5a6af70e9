//! Simulated packet loss, by Gilbert's model of two states: on a good line packets arrive, on a bad one they don't, and
//! the line changes between them by chance, so that losses come in bursts as they do on a network.
//!
//! Each frame has a number of its own, drawn from the seed and the frame's number alone. So a seed always loses the
//! same packets, and two streams with the same loss soon lose the same ones, whenever it was set.

use serde::{Deserialize, Serialize};

/// Most packets that can be lost, in percent.
pub const LOSS_MAX: f32 = 50.0;
/// Longest mean burst, in packets.
pub const BURST_MAX: u8 = 20;
/// Largest seed.
pub const SEED_MAX: u16 = 999;

/// A simulated line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Loss {
    /// How many of a hundred packets are lost, 0 to [`LOSS_MAX`].
    pub percent: f32,
    /// Mean length of a burst of losses in packets, 1 to [`BURST_MAX`].
    pub burst: u8,
    /// Which packets are lost: another seed, other packets.
    pub seed: u16,
}

impl Default for Loss {
    /// Nothing is lost.
    fn default() -> Self {
        Self { percent: 0.0, burst: 2, seed: 1 }
    }
}

impl Loss {
    /// The same within the limits; not-a-number becomes no loss.
    pub fn clamped(self) -> Self {
        let percent = if self.percent.is_nan() { 0.0 } else { self.percent.clamp(0.0, LOSS_MAX) };
        Self { percent, burst: self.burst.clamp(1, BURST_MAX), seed: self.seed.min(SEED_MAX) }
    }
}

/// The line, frame by frame.
#[derive(Debug, Clone, Default)]
pub struct LossProcess {
    loss: Loss,
    frame: u64,
    bad: bool,
}

impl LossProcess {
    /// From the next frame on the line is that of `loss`.
    pub fn set(&mut self, loss: Loss) {
        self.loss = loss.clamped();
    }

    /// Back to the first frame and a good line.
    pub fn reset(&mut self) {
        (self.frame, self.bad) = (0, false);
    }

    /// Whether the next frame's packet is lost.
    pub fn advance(&mut self) -> bool {
        let Loss { percent, burst, seed } = self.loss;
        let share = percent / 100.0;
        // An odd factor keeps the frames' seeds apart in all bits.
        let own = (u64::from(seed) << 48) ^ self.frame.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let drawn = fastrand::Rng::with_seed(own).f32();
        self.frame += 1;
        let leave = 1.0 / f32::from(burst);
        // Both chances together leave this share of the frames on the bad line.
        let enter = share * leave / (1.0 - share);
        self.bad = share > 0.0 && drawn < if self.bad { 1.0 - leave } else { enter };
        self.bad
    }
}
