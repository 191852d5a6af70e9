//! Encoder and decoder streams: sessions with their state.
//!
//! Channels are the batch, so stereo costs one pass over the weights. A session outlives its stream in the model's
//! pool: a host that activates a plug-in again and again pays for loading once.

use super::device::{device_for, place};
use super::{Device, Model, ModelError, Runtime, runtime};
use crate::codec::SearchBuffers;
use ort::session::{Session, builder::GraphOptimizationLevel};
use ort::value::{DynValue, Tensor};
use std::sync::{Arc, Mutex, PoisonError};

/// Sessions that wait for a stream, with the device that each is on.
#[derive(Default)]
pub(super) struct SessionPool(Mutex<Vec<(Device, Session)>>);

/// Sessions kept for later streams; more are dropped.
const POOL_SIZE: usize = 8;

impl SessionPool {
    fn take(&self, device: Device) -> Option<Session> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = sessions.iter().position(|(on, _)| *on == device)?;
        Some(sessions.swap_remove(place).1)
    }

    fn give(&self, device: Device, session: Session) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() < POOL_SIZE {
            sessions.push((device, session));
        }
    }
}

/// What the encoder makes of some hops: for each channel, for each hop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    /// Codes of all codebooks, `[channels, hops, codebooks]`.
    pub codes: Vec<u16>,
    /// Importance p in [0, 1], `[channels, hops]`.
    pub importance: Vec<f32>,
}

/// One graph with its state.
struct Stream {
    graph: &'static str,
    runtime: &'static Runtime,
    device: Device,
    model: Arc<Model>,
    session: Option<Session>,
    state: DynValue,
    state_size: usize,
    channels: usize,
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
    runtime: &'static Runtime,
) -> impl Fn(ort::Error) -> ModelError + Copy {
    move |source| ModelError::Graph { graph, action, runtime: runtime.name().into(), source }
}

fn load(graph: &'static str, bytes: &[u8], runtime: &'static Runtime, device: Device) -> Result<Session, ModelError> {
    let build = || -> ort::Result<Session> {
        let mut builder = Session::builder(runtime.environment())?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(device.threads())?
            .with_inter_threads(1)?;
        if !runtime.is_builtin() {
            builder = builder.with_intra_op_spinning(false)?;
        }
        place(builder, device)?.commit_from_memory(bytes)
    };
    build().map_err(ort_error(graph, "loaded", runtime))
}

impl Stream {
    fn new(graph: &'static str, model: &Arc<Model>, channels: usize) -> Result<Self, ModelError> {
        let runtime = runtime()?;
        let (pool, bytes, state_size) = if graph == ENCODER {
            (&model.encoders, &model.encoder, model.card().encoder_state)
        } else {
            (&model.decoders, &model.decoder, model.card().decoder_state)
        };
        let device = device_for(model.card().parameters);
        let session = match pool.take(device) {
            Some(session) => session,
            None => load(graph, bytes, runtime, device)?,
        };
        let state = zero_state(channels, state_size).map_err(ort_error(graph, "run", runtime))?;
        let model = model.clone();
        let mut stream = Self {
            graph,
            runtime,
            device,
            model,
            session: Some(session),
            state,
            state_size,
            channels,
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

    fn reset(&mut self) -> Result<(), ModelError> {
        self.state = zero_state(self.channels, self.state_size).map_err(ort_error(self.graph, "run", self.runtime))?;
        self.restart();
        Ok(())
    }

    /// Goes on as a stream of as many channels as there are `rows`, each from the state of that channel of now: one
    /// that is named twice is doubled, one that isn't named is forgotten.
    fn select(&mut self, rows: &[usize]) -> Result<(), ModelError> {
        let error = ort_error(self.graph, "run", self.runtime);
        let (_, state) = self.state.try_extract_tensor::<f32>().map_err(error)?;
        let row = |&channel: &usize| &state[channel * self.state_size..][..self.state_size];
        let chosen: Vec<f32> = rows.iter().flat_map(row).copied().collect();
        let next = Tensor::from_array(([rows.len(), self.state_size], chosen)).map_err(error)?;
        (self.state, self.channels) = (next.into_dyn(), rows.len());
        Ok(())
    }

    /// Runs the graph on `inputs` of `hops` hops and its state, lets `read` see the outputs, and keeps the next state.
    fn run<const N: usize>(
        &mut self,
        hops: usize,
        inputs: [(&'static str, ort::session::SessionInputValue<'_>); N],
        read: impl FnOnce(&ort::session::SessionOutputs<'_>) -> Result<(), Failure>,
    ) -> Result<(), ModelError> {
        let (graph, runtime) = (self.graph, self.runtime);
        let session = self.session.as_mut().expect("a stream keeps its session until it is dropped");
        let mut all: Vec<(std::borrow::Cow<'_, str>, ort::session::SessionInputValue<'_>)> =
            inputs.into_iter().map(|(name, value)| (name.into(), value)).collect();
        all.push(("state".into(), (&self.state).into()));
        if let Some((begin, end)) = self.span {
            for (name, hop) in [("begin", begin), ("end", end)] {
                let relative = vec![hop - self.position; self.channels];
                let value =
                    Tensor::from_array(([self.channels], relative)).map_err(ort_error(graph, "run", runtime))?;
                all.push((name.into(), value.into()));
            }
        }
        let mut outputs = session.run(all).map_err(ort_error(graph, "run", runtime))?;
        read(&outputs).map_err(|failure| match failure {
            Failure::Ort(source) => ort_error(graph, "run", runtime)(source),
            Failure::Shape { output, got, expected } => ModelError::Shape { graph, output, got, expected },
        })?;
        let next = outputs.remove("next_state");
        drop(outputs);
        self.state =
            next.ok_or(ModelError::Shape { graph, output: "next_state", got: 0, expected: self.state_size })?;
        self.position += hops as i64;
        Ok(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let pool = if self.graph == ENCODER { &self.model.encoders } else { &self.model.decoders };
            pool.give(self.device, session);
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

fn expect_len(output: &'static str, got: usize, expected: usize) -> Result<(), Failure> {
    if got == expected { Ok(()) } else { Err(Failure::Shape { output, got, expected }) }
}

fn zero_state(channels: usize, size: usize) -> ort::Result<DynValue> {
    Ok(Tensor::from_array(([channels, size], vec![0.0f32; channels * size]))?.into_dyn())
}

const ENCODER: &str = "encoder";
const DECODER: &str = "decoder";

/// An encoder stream.
pub struct EncoderStream {
    stream: Stream,
    search: SearchBuffers,
}

impl EncoderStream {
    /// A stream of `channels` channels at its start. Loads the graph, unless an earlier stream left one.
    ///
    /// # Errors
    /// [`ModelError`] where no runtime starts or it refuses the graph.
    pub fn new(model: &Arc<Model>, channels: usize) -> Result<Self, ModelError> {
        let stream = Stream::new(ENCODER, model, channels)?;
        Ok(Self { stream, search: SearchBuffers::default() })
    }

    /// The runtime and the device that compute it, for people.
    pub fn runtime(&self) -> String {
        self.stream.runtime.on(self.stream.device)
    }

    /// Encodes the next `hops` hops: `audio` is `[channels, hops * hop]`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails or the graph's outputs aren't what the card says.
    ///
    /// # Panics
    /// Where `audio` has another length.
    pub fn step(&mut self, audio: &[f32], hops: usize, encoded: &mut Encoded) -> Result<(), ModelError> {
        let Self { stream, search } = self;
        let (channels, model) = (stream.channels, stream.model.clone());
        let (hop, codebooks) = (model.card().hop, model.card().codebooks);
        assert_eq!(audio.len(), channels * hops * hop, "audio is [channels, hops * hop]");
        let error = ort_error(ENCODER, "run", stream.runtime);
        let input = Tensor::from_array(([channels, hops, hop], audio.to_vec())).map_err(error)?;
        stream.run(hops, [("audio", input.into())], |outputs| {
            encoded.codes.clear();
            if let Some(books) = &model.codebooks {
                let (_, latents) = outputs["latent"].try_extract_tensor::<f32>()?;
                expect_len("latent", latents.len(), channels * hops * books.dims())?;
                books.search(latents, search, &mut encoded.codes);
            } else {
                let (_, codes) = outputs["codes"].try_extract_tensor::<i64>()?;
                expect_len("codes", codes.len(), channels * hops * codebooks)?;
                encoded.codes.extend(codes.iter().map(|&code| code as u16));
            }
            let (_, importance) = outputs["importance"].try_extract_tensor::<f32>()?;
            expect_len("importance", importance.len(), channels * hops)?;
            encoded.importance.clear();
            encoded.importance.extend_from_slice(importance);
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
    /// whose streams needn't know ([`SpanCard`]). Until the next reset.
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

    /// Decodes the next `hops` hops: `codes` is `[channels, hops, codebooks]`, `counts` is `[channels, hops]` with
    /// values 1..=codebooks (codes from the count on are ignored), `audio` receives `[channels, hops * hop]`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails or the graph's output isn't what the card says.
    ///
    /// # Panics
    /// Where a slice has another length.
    pub fn step(&mut self, codes: &[u16], counts: &[u8], hops: usize, audio: &mut [f32]) -> Result<(), ModelError> {
        let (channels, card) = (self.0.channels, self.0.model.card());
        let (hop, codebooks) = (card.hop, card.codebooks);
        assert_eq!(codes.len(), channels * hops * codebooks, "codes are [channels, hops, codebooks]");
        assert_eq!(counts.len(), channels * hops, "counts are [channels, hops]");
        assert_eq!(audio.len(), channels * hops * hop, "audio is [channels, hops * hop]");
        let error = ort_error(DECODER, "run", self.0.runtime);
        let codes: Vec<i64> = codes.iter().map(|&code| i64::from(code)).collect();
        let codes = Tensor::from_array(([channels, hops, codebooks], codes)).map_err(error)?;
        let counts: Vec<i64> = counts.iter().map(|&count| i64::from(count)).collect();
        let counts = Tensor::from_array(([channels, hops], counts)).map_err(error)?;
        self.0.run(hops, [("codes", codes.into()), ("count", counts.into())], |outputs| {
            let (_, decoded) = outputs["audio"].try_extract_tensor::<f32>()?;
            expect_len("audio", decoded.len(), audio.len())?;
            audio.copy_from_slice(decoded);
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
}
