//! The host's parameters as the view's settings. Each change is a gesture that hosts record and undo as one step.

use super::params::VrvqParams;
use crate::editor::{Controls, Value};
use crate::engine::{Monitor, Setting, Slot};
use nice_plug::prelude::*;

/// The value in the user's hand: it stays that of one setting, whatever the host chooses meanwhile.
#[derive(Debug, Default)]
pub(super) struct Held(Option<(Value, Slot)>);

/// The parameters with the way to set them.
pub(super) struct HostControls<'a> {
    params: &'a VrvqParams,
    setter: ParamSetter<'a>,
    held: &'a mut Held,
}

impl<'a> HostControls<'a> {
    pub fn new(params: &'a VrvqParams, setter: ParamSetter<'a>, held: &'a mut Held) -> Self {
        Self { params, setter, held }
    }

    fn change<P: Param>(&self, param: &P, value: P::Plain) {
        self.setter.begin_set_parameter(param);
        self.setter.set_parameter(param, value);
        self.setter.end_set_parameter(param);
    }

    fn slot_of(&self, value: Value) -> Slot {
        self.held.0.filter(|(held, _)| *held == value).map_or(self.slot(), |(_, slot)| slot)
    }

    /// The parameter behind a value, and the normalized value of a number.
    fn normalized(&self, value: Value, number: f32) -> (ParamPtr, f32) {
        let (params, safety) = (self.params, number.round() as i32);
        match value {
            Value::DifferenceGain => {
                (params.difference_gain.as_ptr(), params.difference_gain.preview_normalized(number))
            }
            Value::Safety => (params.safety.as_ptr(), params.safety.preview_normalized(safety)),
            _ => {
                let params = params.of(self.slot_of(value));
                let [level, _, codebooks, target, window, _, loss, burst, seed, _] =
                    params.normalized(&value.set_in(params.setting(), number));
                match value {
                    Value::Codebooks => codebooks,
                    Value::Target => target,
                    Value::Window => window,
                    Value::Loss => loss,
                    Value::LossBurst => burst,
                    Value::LossSeed => seed,
                    Value::Level | Value::DifferenceGain | Value::Safety => level,
                }
            }
        }
    }

    fn begin_all(&self, changes: &[(ParamPtr, f32)]) {
        // SAFETY: here and below, the pointers are those of the parameters that the context was made for, and live as
        // long as `params`.
        changes.iter().for_each(|(param, _)| unsafe { self.setter.raw_context.raw_begin_set_parameter(*param) });
    }

    fn set_all(&self, changes: &[(ParamPtr, f32)]) {
        for (param, value) in changes {
            // SAFETY: see `begin_all`.
            unsafe { self.setter.raw_context.raw_set_parameter_normalized(*param, *value) }
        }
    }

    fn end_all(&self, changes: &[(ParamPtr, f32)]) {
        // SAFETY: see `begin_all`.
        changes.iter().for_each(|(param, _)| unsafe { self.setter.raw_context.raw_end_set_parameter(*param) });
    }
}

impl Controls for HostControls<'_> {
    fn setting(&self, slot: Slot) -> Setting {
        self.params.of(slot).setting()
    }

    fn replace(&mut self, slot: Slot, setting: &Setting) {
        let params = self.params.of(slot);
        let old = params.normalized(&params.setting());
        let mut changes = params.normalized(setting).to_vec();
        let mut old = old.iter();
        changes.retain(|change| old.next() != Some(change));
        // All are held at once, so that a host takes them for one step.
        self.begin_all(&changes);
        self.set_all(&changes);
        self.end_all(&changes);
    }

    fn slot(&self) -> Slot {
        self.params.slot.value().into()
    }

    fn select(&mut self, slot: Slot) {
        self.change(&self.params.slot, slot.into());
    }

    fn begin(&mut self, value: Value) {
        self.held.0 = Some((value, self.slot()));
        self.begin_all(&[self.normalized(value, value.default())]);
    }

    fn set(&mut self, value: Value, to: f32) {
        self.set_all(&[self.normalized(value, to)]);
    }

    fn end(&mut self, value: Value) {
        self.end_all(&[self.normalized(value, value.default())]);
        self.held.0 = None;
    }

    fn monitor(&self) -> Monitor {
        self.params.monitor.value().into()
    }

    fn set_monitor(&mut self, monitor: Monitor) {
        self.change(&self.params.monitor, monitor.into());
    }

    fn difference_gain(&self) -> f32 {
        self.params.difference_gain.value()
    }

    fn level_match(&self) -> bool {
        self.params.level_match.value()
    }

    fn set_level_match(&mut self, on: bool) {
        self.change(&self.params.level_match, on);
    }

    fn bypass(&self) -> bool {
        self.params.bypass.value()
    }

    fn set_bypass(&mut self, bypass: bool) {
        self.change(&self.params.bypass, bypass);
    }

    fn safety(&self) -> u32 {
        self.params.safety.value() as u32
    }
}
