//! Encoder and decoder streams: what one sound leaves behind from hop to hop.
//!
//! Channels are the batch, so stereo costs one pass over the weights. What runs the graphs is shared with the model's other
//! streams ([`super::run`]).

use super::device::device_for;
use super::graph::SPECTRUM;
use super::run::{Call, Desk, Input, Kept, Made};
use super::{Device, Model, ModelError, Runtime, runtime};
use crate::codec::{Codes, SearchBuffers};
use ort::value::{Tensor, TensorElementType};
use std::sync::Arc;

/// What the encoder makes of some hops: for each channel, for each hop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    /// Codes for every count, of frames `[channels, hops]`.
    pub codes: Codes,
    /// Importance p in [0, 1], `[channels, hops]`.
    pub importance: Vec<f32>,
    /// MDCT of the audio, `[channels, hops, hop]`, where candidates are kept ([`EncoderStream::keep_candidates`]).
    pub spectrum: Vec<f32>,
}

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
        let (part, state_size) =
            if graph == ENCODER { (&model.encoder, card.encoder_state) } else { (&model.decoder, card.decoder_state) };
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

    /// Goes on as a stream of as many channels as there are `rows`, each from the state of that channel of now: one
    /// that is named twice is doubled, one that isn't named is forgotten.
    fn select(&mut self, rows: &[usize]) -> Result<(), ModelError> {
        let error = self.run_error();
        self.state = match self.desk.select(&self.state, rows) {
            Some(state) => state.map_err(error)?,
            None => {
                let (_, state) = self.state.try_extract_tensor::<f32>().map_err(error)?;
                let row = |&channel: &usize| &state[channel * self.state_size..][..self.state_size];
                let chosen: Vec<f32> = rows.iter().flat_map(row).copied().collect();
                Kept::here(Tensor::from_array(([rows.len(), self.state_size], chosen)).map_err(error)?.into_dyn())
            }
        };
        self.channels = rows.len();
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

/// An encoder stream.
pub struct EncoderStream {
    stream: Stream,
    search: SearchBuffers,
    candidates: usize,
}

impl EncoderStream {
    /// A stream of `channels` channels at its start. Loads the graph, unless an earlier stream left one.
    ///
    /// # Errors
    /// [`ModelError`] where no runtime starts or it refuses the graph.
    pub fn new(model: &Arc<Model>, channels: usize) -> Result<Self, ModelError> {
        let stream = Stream::new(ENCODER, model, channels)?;
        Ok(Self { stream, search: SearchBuffers::default(), candidates: 1 })
    }

    /// From the next step on the best `candidates` are kept for each count, as many as there can be
    /// ([`Model::most_candidates`]), and, where there are several, the spectrum that they are compared with.
    pub fn keep_candidates(&mut self, candidates: usize) {
        self.candidates = candidates.clamp(1, self.stream.model.most_candidates());
    }

    /// The runtime and the device that compute it, for people.
    pub fn runtime(&self) -> String {
        self.stream.desk.in_words()
    }

    /// Whether a GPU computes it.
    #[cfg(feature = "live")]
    pub(crate) fn on_gpu(&self) -> bool {
        !self.stream.desk.device.is_cpu()
    }

    /// Whether a hop may run in one batch with those of other streams that wait, which rounds differently each time: for live
    /// streams. Not at the start.
    pub fn share(&mut self, shared: bool) {
        self.stream.shared = shared;
    }

    /// Prepares batches of single hops with the other streams, where the device has to: on a GPU, before going live.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails.
    pub fn warm_up(&self) -> Result<(), ModelError> {
        let hop = self.stream.model.card().hop;
        let silence = vec![0.0; self.stream.channels * hop];
        self.stream.warm_up(1, vec![Input::floats("audio", &[1, hop], &silence)])
    }

    /// Calls of the model's encoder streams on this device that ran in one batch with others so far.
    pub fn batched(&self) -> u64 {
        self.stream.desk.batched()
    }

    /// Encodes the next `hops` hops: `audio` is `[channels, hops * hop]`. Codes are searched for every count.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails or the graph's outputs aren't what the card says.
    ///
    /// # Panics
    /// Where `audio` has another length.
    pub fn step(&mut self, audio: &[f32], hops: usize, encoded: &mut Encoded) -> Result<(), ModelError> {
        self.step_up_to(audio, hops, |_, _| usize::MAX, encoded)
    }

    /// As [`Self::step`], with codes for the counts up to `most(channel, importance)` of each frame only: less work, where
    /// it is known how many it will send.
    ///
    /// # Errors
    /// As [`Self::step`].
    ///
    /// # Panics
    /// As [`Self::step`].
    pub fn step_up_to(
        &mut self,
        audio: &[f32],
        hops: usize,
        most: impl Fn(usize, f32) -> usize,
        encoded: &mut Encoded,
    ) -> Result<(), ModelError> {
        let Self { stream, search, candidates } = self;
        let (channels, model) = (stream.channels, stream.model.clone());
        let (hop, codebooks) = (model.card().hop, model.card().codebooks);
        assert_eq!(audio.len(), channels * hops * hop, "audio is [channels, hops * hop]");
        stream.run(hops, vec![Input::floats("audio", &[hops, hop], audio)], |outputs| {
            let importance = values::<f32>(outputs, "importance")?;
            expect_len("importance", importance.len(), channels * hops)?;
            encoded.importance.clear();
            encoded.importance.extend_from_slice(importance);
            encoded.spectrum.clear();
            if *candidates > 1 {
                let spectrum = values::<f32>(outputs, SPECTRUM)?;
                expect_len(SPECTRUM, spectrum.len(), channels * hops * hop)?;
                encoded.spectrum.extend_from_slice(spectrum);
            }
            if let Some(books) = &model.codebooks {
                let latents = values::<f32>(outputs, "latent")?;
                expect_len("latent", latents.len(), channels * hops * books.dims())?;
                let most = |frame: usize| most(frame / hops, importance[frame]);
                books.search(latents, most, *candidates, search, &mut encoded.codes);
            } else {
                let codes = integers(outputs, "codes")?;
                expect_len("codes", codes.len(), channels * hops * codebooks)?;
                encoded.codes.clear_nested(codebooks);
                encoded.codes.extend(codes);
            }
            Ok(())
        })
    }

    /// Goes on as a stream of as many channels as there are `rows`, each from the state of that channel of now: one
    /// that is named twice is doubled, one that isn't named is forgotten.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    ///
    /// # Panics
    /// Where a row is not a channel of now.
    pub fn select(&mut self, rows: &[usize]) -> Result<(), ModelError> {
        self.stream.select(rows)
    }

    /// The signal ends with `frames` frames; what follows is what the model makes of nothing. No effect on a model
    /// whose streams needn't know (`SpanCard`). Until the next reset.
    pub fn end_after(&mut self, frames: u64) {
        self.stream.end_after(frames);
    }

    /// Starts the stream anew.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn reset(&mut self) -> Result<(), ModelError> {
        self.stream.reset()
    }
}

/// A decoder stream.
pub struct DecoderStream(Stream);

impl DecoderStream {
    /// A stream of `channels` channels at its start. Loads the graph, unless an earlier stream left one.
    ///
    /// # Errors
    /// [`ModelError`] where no runtime starts or it refuses the graph.
    pub fn new(model: &Arc<Model>, channels: usize) -> Result<Self, ModelError> {
        Stream::new(DECODER, model, channels).map(Self)
    }

    /// Another one of so many `channels` at its start, for who steps it by turns with this one: it needs no session of its own.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub(super) fn beside(&self, channels: usize) -> Result<Self, ModelError> {
        self.0.beside(channels).map(Self)
    }

    /// As [`EncoderStream::share`].
    pub fn share(&mut self, shared: bool) {
        self.0.shared = shared;
    }

    /// As [`EncoderStream::warm_up`].
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails.
    pub fn warm_up(&self) -> Result<(), ModelError> {
        let (channels, codebooks) = (self.0.channels, self.0.model.card().codebooks);
        let codes = Input::integers("codes", &[1, codebooks], std::iter::repeat_n(0, channels * codebooks));
        self.0.warm_up(1, vec![codes, Input::integers("count", &[1], std::iter::repeat_n(1, channels))])
    }

    /// As [`EncoderStream::batched`].
    pub fn batched(&self) -> u64 {
        self.0.desk.batched()
    }

    /// As [`EncoderStream::runtime`].
    pub fn runtime(&self) -> String {
        self.0.desk.in_words()
    }

    /// Decodes the next `hops` hops: `codes` is `[channels, hops, codebooks]`, `counts` is `[channels, hops]` with
    /// values 1..=codebooks (codes from the count on are ignored), `audio` receives `[channels, hops * hop]`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails or the graph's output isn't what the card says.
    ///
    /// # Panics
    /// Where a slice has another length.
    pub fn step(&mut self, codes: &[u16], counts: &[u8], hops: usize, audio: &mut [f32]) -> Result<(), ModelError> {
        assert_eq!(audio.len(), self.0.channels * hops * self.0.model.card().hop, "audio is [channels, hops * hop]");
        self.read("audio", codes, counts, hops, audio)
    }

    /// As [`Self::step`], but what is received is the MDCT of the audio, `[channels, hops, hop]`, of a model that shows it
    /// ([`Model::most_candidates`]).
    ///
    /// # Errors
    /// As [`Self::step`], where the model doesn't show it too.
    ///
    /// # Panics
    /// As [`Self::step`].
    pub(super) fn step_spectrum(
        &mut self,
        codes: &[u16],
        counts: &[u8],
        hops: usize,
        spectrum: &mut [f32],
    ) -> Result<(), ModelError> {
        self.read(SPECTRUM, codes, counts, hops, spectrum)
    }

    fn read(
        &mut self,
        output: &'static str,
        codes: &[u16],
        counts: &[u8],
        hops: usize,
        to: &mut [f32],
    ) -> Result<(), ModelError> {
        let (channels, codebooks) = (self.0.channels, self.0.model.card().codebooks);
        assert_eq!(codes.len(), channels * hops * codebooks, "codes are [channels, hops, codebooks]");
        assert_eq!(counts.len(), channels * hops, "counts are [channels, hops]");
        let inputs = vec![
            Input::integers("codes", &[hops, codebooks], codes.iter().map(|&code| i64::from(code))),
            Input::integers("count", &[hops], counts.iter().map(|&count| i64::from(count))),
        ];
        self.0.run(hops, inputs, |outputs| {
            let made = values::<f32>(outputs, output)?;
            expect_len(output, made.len(), to.len())?;
            to.copy_from_slice(made);
            Ok(())
        })
    }

    /// Goes on with the channels `rows`: as [`EncoderStream::select`].
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    ///
    /// # Panics
    /// Where a row is not a channel of now.
    pub fn select(&mut self, rows: &[usize]) -> Result<(), ModelError> {
        self.0.select(rows)
    }

    /// As [`EncoderStream::end_after`].
    pub fn end_after(&mut self, frames: u64) {
        self.0.end_after(frames);
    }

    /// Starts the stream anew.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn reset(&mut self) -> Result<(), ModelError> {
        self.0.reset()
    }

    /// Starts the stream anew, with so many `channels`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub(super) fn restart(&mut self, channels: usize) -> Result<(), ModelError> {
        self.0.channels = channels;
        self.0.reset()
    }
}
