//! Encoder and decoder streams: what one sound leaves behind from hop to hop.
//!
//! Channels are the batch, so stereo costs one pass over the weights. What runs the graphs is shared with the model's other
//! streams ([`super::run`]).

mod decoder;
mod encoder;

pub use decoder::DecoderStream;
pub use encoder::{Encoded, EncoderStream};

use super::device::device_for;
use super::run::{Call, Desk, Input, Kept, Made};
use super::{Device, Model, ModelError, Runtime, runtime};
use ort::value::{Tensor, TensorElementType};
use std::sync::Arc;

/// One graph with its state.
struct Stream {
    graph: &'static str,
    runtime: &'static Runtime,
    desk: Arc<Desk>,
    model: Arc<Model>,
    state: Kept,
    state_size: usize,
    channels: usize,
    /// The desk keeps a session for it.
    counted: bool,
    /// May run in one batch with other streams.
    shared: bool,
    /// Hops so far.
    position: i64,
    /// First hop of the signal and the one after its last; `None` where the graph doesn't ask.
    span: Option<(i64, i64)>,
}

/// No end in sight: far enough for any stream, and no product of it overflows.
const NEVER: i64 = 1 << 40;

fn ort_error(
    graph: &'static str,
    action: &'static str,
    device: Device,
    runtime: &'static Runtime,
) -> impl Fn(ort::Error) -> ModelError + Copy {
    move |source| ModelError::Graph { graph, action, device, runtime: runtime.name().into(), source }
}

impl Stream {
    fn new(graph: &'static str, model: &Arc<Model>, channels: usize) -> Result<Self, ModelError> {
        let runtime = runtime()?;
        let card = model.card();
        let (part, state_size) = match graph {
            ENCODER => (&model.encoder, card.encoder_state),
            _ => (&model.decoder, card.decoder_state),
        };
        let device = device_for(card.parameters);
        let desk = part.desk(graph, device, runtime);
        part.enter(&desk, runtime).map_err(ort_error(graph, "loaded", device, runtime))?;
        let made = zero_state(channels, state_size).inspect_err(|_| desk.leave());
        let mut stream = Self {
            graph,
            runtime,
            state: made.map_err(ort_error(graph, "run", device, runtime))?,
            desk,
            model: model.clone(),
            state_size,
            channels,
            counted: true,
            shared: false,
            position: 0,
            span: None,
        };
        stream.restart();
        Ok(stream)
    }

    /// Another one of so many `channels` at its start, on the same desk and never run at the same time as this one: it needs
    /// no session of its own.
    fn beside(&self, channels: usize) -> Result<Self, ModelError> {
        let mut stream = Self {
            graph: self.graph,
            runtime: self.runtime,
            desk: self.desk.clone(),
            model: self.model.clone(),
            state: zero_state(channels, self.state_size).map_err(self.run_error())?,
            state_size: self.state_size,
            channels,
            counted: false,
            shared: false,
            position: 0,
            span: None,
        };
        stream.restart();
        Ok(stream)
    }

    /// To the first hop of a signal without end.
    fn restart(&mut self) {
        self.position = 0;
        self.span = self.model.card().span.map(|span| {
            let begin = if self.graph == ENCODER { span.encoder_begin() } else { span.decoder_begin() };
            (begin, NEVER)
        });
    }

    fn end_after(&mut self, frames: u64) {
        if let Some((begin, end)) = &mut self.span {
            *end = begin.saturating_add(i64::try_from(frames).unwrap_or(NEVER)).min(NEVER);
        }
    }

    fn run_error(&self) -> impl Fn(ort::Error) -> ModelError + Copy + use<> {
        ort_error(self.graph, "run", self.desk.device, self.runtime)
    }

    fn reset(&mut self) -> Result<(), ModelError> {
        self.state = zero_state(self.channels, self.state_size).map_err(self.run_error())?;
        self.restart();
        Ok(())
    }

    /// The state of the channels `rows`, one after the other.
    fn state_of(&self, rows: &[usize]) -> Result<Kept, ModelError> {
        let error = self.run_error();
        if let Some(state) = self.desk.select(&self.state, rows) {
            return state.map_err(error);
        }
        let (_, state) = self.state.try_extract_tensor::<f32>().map_err(error)?;
        let mut chosen = Vec::with_capacity(rows.len() * self.state_size);
        for channel in rows {
            chosen.extend_from_slice(&state[channel * self.state_size..][..self.state_size]);
        }
        Ok(Kept::here(Tensor::from_array(([rows.len(), self.state_size], chosen)).map_err(error)?.into_dyn()))
    }

    /// Goes on as a stream of as many channels as there are `rows`, each from the state of that channel of now: one
    /// that is named twice is doubled, one that isn't named is forgotten.
    fn select(&mut self, rows: &[usize]) -> Result<(), ModelError> {
        self.state = self.state_of(rows)?;
        self.channels = rows.len();
        Ok(())
    }

    /// Goes on from where the channels `rows` of `other` are, whose state is alike; that one stays.
    fn follow(&mut self, other: &Self, rows: &[usize]) -> Result<(), ModelError> {
        self.state = other.state_of(rows)?;
        (self.channels, self.position, self.span) = (rows.len(), other.position, other.span);
        Ok(())
    }

    /// Lets the device run batches of such calls, where it has to compile them.
    fn warm_up(&self, hops: usize, mut inputs: Vec<Input>) -> Result<(), ModelError> {
        let channels = self.channels;
        self.add_span(hops, &mut inputs);
        let call =
            || Ok(Call { hops, channels, inputs: inputs.clone(), state: zero_state(channels, self.state_size)? });
        self.desk.warm_up(call).map_err(self.run_error())
    }

    /// Adds where the signal begins and ends, counted from the next `hops` hops, for graphs that ask.
    fn add_span(&self, hops: usize, inputs: &mut Vec<Input>) {
        let (Some((begin, end)), Some(card)) = (self.span, self.model.card().span) else { return };
        let counted: &[usize] = if card.each_hop { &[hops] } else { &[] };
        let hops = counted.first().map_or(1, |&hops| hops as i64);
        for (name, place) in [("begin", begin), ("end", end)] {
            let from = |_| (0..hops).map(move |hop| place - self.position - hop);
            inputs.push(Input::integers(name, counted, (0..self.channels).flat_map(from)));
        }
    }

    /// Runs the graph on `inputs` of `hops` hops and its state, lets `read` see the outputs, and keeps the next state.
    fn run(
        &mut self,
        hops: usize,
        mut inputs: Vec<Input>,
        read: impl FnOnce(&Made) -> Result<(), Failure>,
    ) -> Result<(), ModelError> {
        let (graph, channels) = (self.graph, self.channels);
        let error = self.run_error();
        self.add_span(hops, &mut inputs);
        // Should the run fail, the stream starts anew: what its state was is gone then.
        let empty = Kept::here(Tensor::from_array(([0usize; 1], Vec::<f32>::new())).map_err(error)?.into_dyn());
        let state = std::mem::replace(&mut self.state, empty);
        // Batches are of single hops: a GPU compiles each shape that it meets.
        let shared = self.shared && hops == 1;
        let made = match self.desk.run(Call { hops, channels, inputs, state }, shared) {
            Ok(made) => made,
            Err(source) => {
                self.reset()?;
                return Err(error(source));
            }
        };
        let result = read(&made).map_err(|failure| match failure {
            Failure::Ort(source) => error(source),
            Failure::Shape { output, got, expected } => ModelError::Shape { graph, output, got, expected },
        });
        self.state = made.state;
        self.position += hops as i64;
        result
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.counted {
            self.desk.leave();
        }
    }
}

/// What reading the outputs can meet.
enum Failure {
    Ort(ort::Error),
    Shape { output: &'static str, got: usize, expected: usize },
}

impl From<ort::Error> for Failure {
    fn from(error: ort::Error) -> Self {
        Self::Ort(error)
    }
}

/// The values of an output; none where the graph has no such output.
fn values<'a, T: ort::value::PrimitiveTensorElementType>(made: &'a Made, name: &str) -> Result<&'a [T], Failure> {
    match made.output(name) {
        Some(value) => Ok(value.try_extract_tensor::<T>()?.1),
        None => Ok(&[]),
    }
}

/// The whole numbers of an output, whether its graph counts in 64-bit integers or in single precision.
fn integers(made: &Made, name: &str) -> Result<Vec<u16>, Failure> {
    match made.output(name) {
        Some(value) if *value.data_type() == TensorElementType::Float32 => {
            Ok(values::<f32>(made, name)?.iter().map(|&number| number as u16).collect())
        }
        _ => Ok(values::<i64>(made, name)?.iter().map(|&number| number as u16).collect()),
    }
}

fn expect_len(output: &'static str, got: usize, expected: usize) -> Result<(), Failure> {
    if got == expected { Ok(()) } else { Err(Failure::Shape { output, got, expected }) }
}

fn zero_state(channels: usize, size: usize) -> ort::Result<Kept> {
    Ok(Kept::here(Tensor::from_array(([channels, size], vec![0.0f32; channels * size]))?.into_dyn()))
}

const ENCODER: &str = "encoder";
const DECODER: &str = "decoder";
