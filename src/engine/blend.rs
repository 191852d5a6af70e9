//! What is heard of dry and decoded: gains that move together in a straight line.

use super::settings::{MAX_DIFFERENCE_GAIN_DB, Monitor, Slot};

/// Gains of the dry signal, and for each setting of the decoded one, of the difference, and of both split to the sides.
pub(super) type Gains = [f32; 7];

/// Gains of one setting: decoded, difference, split.
pub(super) fn of_setting(gains: &Gains, slot: Slot) -> [f32; 3] {
    let first = 1 + 3 * slot.index();
    [gains[first], gains[first + 1], gains[first + 2]]
}

/// Nothing but the dry signal.
pub(super) const DRY: Gains = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];

/// Nothing but the decoded signal of a setting.
pub(super) fn decoded(slot: Slot) -> Gains {
    gains(Monitor::Decoded, slot, 0.0)
}

/// The gains that `monitor` asks for with the setting of `slot`; `difference_db` is the gain of the difference, 0 to
/// [`MAX_DIFFERENCE_GAIN_DB`].
pub(super) fn gains(monitor: Monitor, slot: Slot, difference_db: f32) -> Gains {
    let mut gains = [0.0; 7];
    let first = 1 + 3 * slot.index();
    match monitor {
        Monitor::Dry => return DRY,
        Monitor::Decoded => gains[first] = 1.0,
        Monitor::Difference => {
            let gain_db = if difference_db.is_nan() { 0.0 } else { difference_db.clamp(0.0, MAX_DIFFERENCE_GAIN_DB) };
            gains[first + 1] = 10.0f32.powf(gain_db / 20.0);
        }
        Monitor::Split => gains[first + 2] = 1.0,
    }
    gains
}

/// Gains on their way to a target; each move takes the same time.
pub(super) struct Blend {
    gains: Gains,
    target: Gains,
    step: Gains,
    left: u32,
    length: u32,
}

impl Blend {
    /// At rest at `gains`; a move takes `seconds`.
    pub fn new(gains: Gains, seconds: f64, sample_rate: f64) -> Self {
        let length = (seconds * sample_rate).ceil().max(1.0) as u32;
        Self { gains, target: gains, step: [0.0; 7], left: 0, length }
    }

    /// Starts a move to `target`, unless it is under way.
    pub fn set_target(&mut self, target: Gains) {
        if self.target != target {
            self.target = target;
            self.left = self.length;
            for ((step, gain), target) in self.step.iter_mut().zip(self.gains).zip(target) {
                *step = (target - gain) / self.length as f32;
            }
        }
    }

    /// Jumps to `gains`.
    pub fn jump(&mut self, gains: Gains) {
        (self.gains, self.target, self.left) = (gains, gains, 0);
    }

    /// Whether it rests at `gains`, to the bit.
    pub fn rests_at(&self, gains: Gains) -> bool {
        self.left == 0 && self.gains == gains
    }

    /// The next sample's gains.
    pub fn advance(&mut self) -> Gains {
        if self.left > 1 {
            self.left -= 1;
            self.gains.iter_mut().zip(self.step).for_each(|(gain, step)| *gain += step);
        } else {
            (self.gains, self.left) = (self.target, 0);
        }
        self.gains
    }
}
