//! What goes into a run and comes out, and how several make a batch: joined along the channels, and parted again.

use super::kept::Kept;
use ort::value::{DynValue, Tensor};

/// Values of an input, `[channels, ...]`.
#[derive(Debug, Clone)]
pub enum Data {
    Floats(Vec<f32>),
    Integers(Vec<i64>),
}

/// An input by name; `row` is the shape of one channel.
#[derive(Debug, Clone)]
pub struct Input {
    pub name: &'static str,
    pub row: Vec<usize>,
    pub data: Data,
}

impl Input {
    pub fn floats(name: &'static str, row: &[usize], values: &[f32]) -> Self {
        Self { name, row: row.into(), data: Data::Floats(values.into()) }
    }

    pub fn integers(name: &'static str, row: &[usize], values: impl Iterator<Item = i64>) -> Self {
        Self { name, row: row.into(), data: Data::Integers(values.collect()) }
    }
}

/// One stream's run: `hops` hops of `channels` channels.
pub struct Call {
    pub hops: usize,
    pub channels: usize,
    pub inputs: Vec<Input>,
    /// `[channels, floats]`, wherever it lies.
    pub state: Kept,
}

/// What came out of it.
pub struct Made {
    pub outputs: Vec<(String, Kept)>,
    pub state: Kept,
}

impl Made {
    /// The output `name`; `None` where the graph has none.
    pub fn output(&self, name: &str) -> Option<&DynValue> {
        self.outputs.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }
}

/// Name of the state's successor among the outputs.
pub(super) const NEXT_STATE: &str = "next_state";

/// The inputs of all `calls`, without their states, as values of a run; integers in single precision where the graph
/// `counts_in_floats`.
pub(super) fn join(
    calls: &[Call],
    counts_in_floats: impl Fn(&str) -> bool,
) -> ort::Result<Vec<(&'static str, DynValue)>> {
    let channels: usize = calls.iter().map(|call| call.channels).sum();
    let Some(first) = calls.first() else { return Ok(Vec::new()) };
    let mut values = Vec::with_capacity(first.inputs.len());
    for (index, input) in first.inputs.iter().enumerate() {
        let shape: Vec<usize> = std::iter::once(channels).chain(input.row.iter().copied()).collect();
        let parts = calls.iter().map(|call| &call.inputs[index].data);
        let value = match &input.data {
            Data::Floats(_) => {
                let all = parts.flat_map(|data| if let Data::Floats(values) = data { &values[..] } else { &[] });
                Tensor::from_array((shape, all.copied().collect::<Vec<f32>>()))?.into_dyn()
            }
            Data::Integers(_) => {
                let all = parts.flat_map(|data| if let Data::Integers(values) = data { &values[..] } else { &[] });
                if counts_in_floats(input.name) {
                    Tensor::from_array((shape, all.map(|&value| value as f32).collect::<Vec<f32>>()))?.into_dyn()
                } else {
                    Tensor::from_array((shape, all.copied().collect::<Vec<i64>>()))?.into_dyn()
                }
            }
        };
        values.push((input.name, value));
    }
    Ok(values)
}

/// States in the program's memory as one.
pub(super) fn join_states(calls: &[Call]) -> ort::Result<Kept> {
    let channels: usize = calls.iter().map(|call| call.channels).sum();
    let mut all = Vec::new();
    for call in calls {
        all.extend_from_slice(call.state.try_extract_tensor::<f32>()?.1);
    }
    Ok(Kept::here(Tensor::from_array(([channels, all.len() / channels.max(1)], all))?.into_dyn()))
}

/// `count` of the `channels` channels of `value`, from `first` on, as a value of its own.
pub(super) fn part(value: &DynValue, channels: usize, first: usize, count: usize) -> ort::Result<Kept> {
    if let Ok((shape, values)) = value.try_extract_tensor::<f32>() {
        let (shape, values) = rows(shape, values, channels, first, count);
        return Ok(Kept::here(Tensor::from_array((shape, values))?.into_dyn()));
    }
    let (shape, values) = value.try_extract_tensor::<i64>()?;
    let (shape, values) = rows(shape, values, channels, first, count);
    Ok(Kept::here(Tensor::from_array((shape, values))?.into_dyn()))
}

fn rows<T: Copy>(shape: &[i64], values: &[T], channels: usize, first: usize, count: usize) -> (Vec<i64>, Vec<T>) {
    let row = values.len() / channels.max(1);
    let shape = std::iter::once(count as i64).chain(shape.iter().skip(1).copied()).collect();
    (shape, values[first * row..(first + count) * row].to_vec())
}
