//! States that lie on a GPU, joined and parted there: two small graphs, so that nothing crosses the bus for it.

use super::batch::{Call, NEXT_STATE};
use super::kept::Kept;
use super::seat::Seat;
use crate::model::{Device, Runtime, graph};
use ort::value::Tensor;

/// The graphs, loaded when they are needed first.
#[derive(Default)]
pub(super) struct DeviceState {
    /// By the number of states that it joins.
    join: Vec<(usize, Seat)>,
    rows: Option<Seat>,
}

/// Inputs of the joining graph, by number.
const PARTS: [&str; graph::MOST_PARTS] = graph::PARTS;

impl DeviceState {
    /// The states of `calls` as one.
    pub fn join(&mut self, calls: &[Call], runtime: &Runtime, device: Device) -> ort::Result<Kept> {
        let known = self.join.iter().position(|(number, _)| *number == calls.len());
        let index = match known {
            Some(index) => index,
            None => {
                self.join.push((calls.len(), Seat::load(&graph::join(calls.len()), None, runtime, device)?));
                self.join.len() - 1
            }
        };
        let inputs: Vec<_> = PARTS.into_iter().zip(calls.iter().map(|call| &*call.state)).collect();
        only(self.join[index].1.run(&inputs)?)
    }

    /// The channels `rows` of `state`.
    pub fn rows(
        &mut self,
        state: &Kept,
        rows: impl Iterator<Item = usize>,
        runtime: &Runtime,
        device: Device,
    ) -> ort::Result<Kept> {
        let rows: Vec<i64> = rows.map(|row| row as i64).collect();
        let rows = Tensor::from_array(([rows.len()], rows))?.into_dyn();
        let seat = match &mut self.rows {
            Some(seat) => seat,
            none => none.insert(Seat::load(&graph::rows(), None, runtime, device)?),
        };
        only(seat.run(&[("state", &**state), ("rows", &rows)])?)
    }
}

fn only(outputs: Vec<(String, Kept)>) -> ort::Result<Kept> {
    let next = outputs.into_iter().find(|(name, _)| name == NEXT_STATE);
    next.map(|(_, value)| value).ok_or_else(|| ort::Error::new("the runtime lost an output"))
}
