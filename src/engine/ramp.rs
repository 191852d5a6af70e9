//! A gain that moves in a straight line.

/// Moves from its value to its target by a fixed step a sample.
pub(super) struct Ramp {
    value: f32,
    target: f32,
    step: f32,
}

impl Ramp {
    /// At rest at `value`; a whole move from 0 to 1 takes `seconds`.
    pub fn new(value: f32, seconds: f64, sample_rate: f64) -> Self {
        Self { value, target: value, step: (1.0 / (seconds * sample_rate)) as f32 }
    }

    pub fn set_target(&mut self, target: f32) {
        self.target = target;
    }

    /// Jumps to `value`.
    pub fn jump(&mut self, value: f32) {
        (self.value, self.target) = (value, value);
    }

    /// Whether it rests at `value`, to the bit.
    pub fn rests_at(&self, value: f32) -> bool {
        self.value == value && self.target == value
    }

    /// The next sample's gain.
    pub fn advance(&mut self) -> f32 {
        let distance = self.target - self.value;
        self.value = if distance.abs() <= self.step { self.target } else { self.value + self.step.copysign(distance) };
        self.value
    }
}
