//! Settings of a model without an importance map: constant bitrate, whatever mode they hold. The mode stays in them, for
//! the next model.

use super::{Controls, Value};
use crate::codec::RateMode;
use crate::engine::{Monitor, Setting, Slot};

/// What is said where another mode is asked for.
pub const REFUSAL: &str = "This model has no importance map: it knows constant bitrate only.";

/// The settings behind it as constant bitrate.
pub struct Constant<'a>(pub &'a mut dyn Controls);

impl Controls for Constant<'_> {
    fn setting(&self, slot: Slot) -> Setting {
        Setting { mode: RateMode::Cbr, ..self.0.setting(slot) }
    }

    fn replace(&mut self, slot: Slot, setting: &Setting) {
        let mode = self.0.setting(slot).mode;
        self.0.replace(slot, &Setting { mode, ..*setting });
    }

    fn slot(&self) -> Slot {
        self.0.slot()
    }

    fn select(&mut self, slot: Slot) {
        self.0.select(slot);
    }

    fn begin(&mut self, value: Value) {
        self.0.begin(value);
    }

    fn set(&mut self, value: Value, to: f32) {
        self.0.set(value, to);
    }

    fn end(&mut self, value: Value) {
        self.0.end(value);
    }

    fn monitor(&self) -> Monitor {
        self.0.monitor()
    }

    fn set_monitor(&mut self, monitor: Monitor) {
        self.0.set_monitor(monitor);
    }

    fn difference_gain(&self) -> f32 {
        self.0.difference_gain()
    }

    fn level_match(&self) -> bool {
        self.0.level_match()
    }

    fn set_level_match(&mut self, on: bool) {
        self.0.set_level_match(on);
    }

    fn bypass(&self) -> bool {
        self.0.bypass()
    }

    fn set_bypass(&mut self, bypass: bool) {
        self.0.set_bypass(bypass);
    }

    fn safety(&self) -> u32 {
        self.0.safety()
    }
}
