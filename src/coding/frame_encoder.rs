//! Sound to frames.

use super::resample::Resampling;
use super::{CodingError, resolve};
use crate::codec::{Effort, Rate, RateControl, StereoMode, TargetControl, to_coded};
use crate::model::{Encoded, EncoderStream, Model, Synthesis};
use std::collections::VecDeque;
use std::sync::Arc;

/// Hops in one step of the model: more of them read its weights less often.
const HOPS_AT_ONCE: usize = 16;

/// One frame of all channels.
#[derive(Debug, Clone, PartialEq)]
pub struct CodedFrame {
    /// What decided how many codebooks it uses.
    pub rate: Rate,
    /// How two channels are coded.
    pub stereo: StereoMode,
    /// Importance p in [0, 1], one a channel.
    pub importance: Vec<f32>,
    /// Codes, for each channel as many as it uses.
    pub codes: Vec<Vec<u16>>,
}

/// Turns planar sound of any sample rate into frames. The first frame begins with the first sample; what the decoder
/// makes of it lags by the model's delay, so silence is put behind the sound until all of it can come out.
pub struct FrameEncoder {
    model: Arc<Model>,
    stream: EncoderStream,
    /// Chooses among the candidates of the search, where that is wanted.
    synthesis: Option<Synthesis>,
    resampling: Resampling,
    sample_rate: u32,
    channels: usize,
    /// Channels that are coded: one where two are coded as their sum.
    coded: usize,
    rate: RateControl,
    target: TargetControl,
    stereo: StereoMode,
    /// Samples of each channel that came in.
    length: u64,
    /// Sound at the model's rate that makes no whole step yet, planar.
    waiting: Vec<Vec<f32>>,
    step: Vec<f32>,
    encoded: Encoded,
    frames: VecDeque<CodedFrame>,
}

impl FrameEncoder {
    /// An encoder at its start, of `channels` channels at `sample_rate` Hz. Loads the model's graph unless an earlier
    /// stream left one. Two channels are coded as `stereo` says, more or fewer each for itself.
    ///
    /// # Errors
    /// [`CodingError::Model`] where no runtime starts or it refuses the graph, or variable bitrate is asked of a model
    /// without an importance map, [`CodingError::Resampler`] for a rate
    /// that can't be, [`CodingError::Channels`] without a channel.
    pub fn new(
        model: &Arc<Model>,
        sample_rate: u32,
        channels: usize,
        rate: RateControl,
        stereo: StereoMode,
    ) -> Result<Self, CodingError> {
        if channels == 0 {
            return Err(CodingError::Channels("there is no channel to encode".into()));
        }
        let card = model.card();
        card.check_rate(rate)?;
        let level = card.level.default;
        let coded = stereo.coded_channels(channels);
        let mut target = TargetControl::new(model.packet_format(), card.frame_rate(), coded, level);
        if let RateControl::Target(aim) = rate {
            target.aim(aim);
        }
        Ok(Self {
            stream: EncoderStream::new(model, coded)?,
            synthesis: None,
            resampling: Resampling::new(sample_rate, card.sample_rate, channels)?,
            model: model.clone(),
            sample_rate,
            channels,
            coded,
            rate: rate.clamped(),
            target,
            stereo: if channels == 2 { stereo } else { StereoMode::LeftRight },
            length: 0,
            waiting: vec![Vec::new(); channels],
            step: Vec::new(),
            encoded: Encoded::default(),
            frames: VecDeque::new(),
        })
    }

    /// Codes are chosen with so much effort, as far as the model can ([`Model::most_candidates`], [`Model::can_refine`]), from the
    /// start on: before any sound comes in.
    ///
    /// # Errors
    /// [`CodingError::Model`] where the runtime refuses the decoder.
    pub fn with_effort(mut self, effort: Effort) -> Result<Self, CodingError> {
        let effort = effort.within(self.model.most_candidates());
        let chooses = effort.candidates > 1;
        self.synthesis = if chooses { Some(Synthesis::new(&self.model, self.coded, effort)?) } else { None };
        self.stream.keep_candidates(effort.candidates);
        Ok(self)
    }

    /// Samples of each channel that came in.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Sample rate of what comes in, in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Takes the next samples, `channels` slices of one length, any length. Not-a-number and infinity become silence.
    ///
    /// # Errors
    /// [`CodingError::Channels`] for another number of channels or lengths that differ, [`CodingError::Model`] and
    /// [`CodingError::Resampler`] where these fail.
    pub fn push<S: AsRef<[f32]>>(&mut self, sound: &[S]) -> Result<(), CodingError> {
        if sound.len() != self.channels {
            let wanted = self.channels;
            return Err(CodingError::Channels(format!("{} channels came where {wanted} were announced", sound.len())));
        }
        let length = sound[0].as_ref().len();
        if sound.iter().any(|channel| channel.as_ref().len() != length) {
            return Err(CodingError::Channels("the channels differ in length".into()));
        }
        self.length += length as u64;
        if sound.iter().all(|channel| channel.as_ref().iter().all(|sample| sample.is_finite())) {
            self.resampling.push(sound, &mut self.waiting)?;
        } else {
            let sane = |sample: &f32| if sample.is_finite() { *sample } else { 0.0 };
            let sound: Vec<Vec<f32>> =
                sound.iter().map(|channel| channel.as_ref().iter().map(sane).collect()).collect();
            self.resampling.push(&sound, &mut self.waiting)?;
        }
        self.encode(HOPS_AT_ONCE)
    }

    /// The sound has ended: encodes what is left. Afterwards [`Self::next`] gives the last frames.
    ///
    /// # Errors
    /// [`CodingError::Model`] and [`CodingError::Resampler`] where these fail.
    pub fn finish(&mut self) -> Result<(), CodingError> {
        if self.length == 0 {
            return Ok(());
        }
        let length = self.resampling.output_length(self.length);
        self.resampling.finish(length, &mut self.waiting)?;
        let hop = self.model.card().hop;
        let whole = (self.waiting[0].len() + self.model.card().delay()).next_multiple_of(hop);
        self.waiting.iter_mut().for_each(|channel| channel.resize(whole, 0.0));
        self.encode(HOPS_AT_ONCE)?;
        self.encode(1)
    }

    /// The next frame, oldest first.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<CodedFrame> {
        self.frames.pop_front()
    }

    /// Encodes what waits, in steps of `hops` hops.
    fn encode(&mut self, hops: usize) -> Result<(), CodingError> {
        let samples = hops * self.model.card().hop;
        let whole = self.waiting[0].len() / samples * samples;
        for from in (0..whole).step_by(samples) {
            self.step.clear();
            for channel in &self.waiting {
                self.step.extend_from_slice(&channel[from..][..samples]);
            }
            if self.channels == 2 {
                to_coded(self.stereo, &mut self.step);
            }
            self.step.truncate(self.coded * samples);
            let (rate, codebooks) = (self.rate, self.model.card().codebooks);
            let most = |_, importance| match rate {
                RateControl::Level(level) => Rate::Level(level).count(importance, codebooks),
                RateControl::Codebooks(number) => Rate::Codebooks(number).count(importance, codebooks),
                // It follows the bits of each frame.
                RateControl::Target(_) => codebooks,
            };
            self.stream.step_up_to(&self.step, hops, most, &mut self.encoded)?;
            (0..hops).try_for_each(|hop| self.keep(hop, hops))?;
        }
        self.waiting.iter_mut().for_each(|channel| drop(channel.drain(..whole)));
        Ok(())
    }

    /// Keeps frame `hop` of the `hops` in `encoded`.
    fn keep(&mut self, hop: usize, hops: usize) -> Result<(), CodingError> {
        let codebooks = self.model.card().codebooks;
        let rate = resolve(self.rate, &mut self.target);
        let importance: Vec<f32> = (0..self.coded).map(|c| self.encoded.importance[c * hops + hop]).collect();
        let frame_of = |channel: usize| channel * hops + hop;
        let counts: Vec<u8> = importance.iter().map(|&p| rate.count(p, codebooks) as u8).collect();
        let codes: Vec<Vec<u16>> = match &mut self.synthesis {
            Some(synthesis) => {
                let chosen = synthesis.choose(&self.encoded, frame_of, &counts)?.chunks_exact(codebooks);
                chosen.zip(&counts).map(|(codes, &count)| codes[..count.into()].to_vec()).collect()
            }
            None => {
                let of =
                    |(channel, &count): (usize, &u8)| self.encoded.codes.of(frame_of(channel), count.into()).to_vec();
                counts.iter().enumerate().map(of).collect()
            }
        };
        if let RateControl::Target(_) = self.rate {
            let format = self.model.packet_format();
            let bits: usize = codes.iter().map(|codes| format.frame_bits(codes.len())).sum();
            self.target.push(&importance, Some(bits as u32));
        }
        self.frames.push_back(CodedFrame { rate, stereo: self.stereo, importance, codes });
        Ok(())
    }
}
