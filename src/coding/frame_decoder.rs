//! Frames to sound.

use super::CodingError;
use super::resample::Resampling;
use crate::codec::{StereoMode, to_left_right};
use crate::container::{Frames, Header};
use crate::model::{DecoderStream, Model};
use std::sync::Arc;

/// Hops in one step of the model.
const HOPS_AT_ONCE: usize = 16;

/// Turns frames into planar sound at the sample rate of what was encoded, in step with it: the codec's delay and the
/// resampler's are taken out.
///
/// Where frames are missing, or the stereo mode changes, the hop before fades out and the next whole one fades in, as
/// in the live loop: neighbouring frames overlap, and a frame without its neighbour is no sound.
pub struct FrameDecoder {
    stream: DecoderStream,
    resampling: Resampling,
    channels: usize,
    codebooks: usize,
    hop: usize,
    /// Samples at the model's rate that are still to be dropped.
    skip: u64,
    /// Samples at the model's rate that came out, dropped ones not counted.
    made: u64,
    stereo: Option<StereoMode>,
    /// Hops that are silent before the next one fades in; `None` where sound goes on.
    rise: Option<usize>,
    /// Decoded sound, planar; its last hop waits for what comes next.
    held: Vec<Vec<f32>>,
    codes: Vec<u16>,
    counts: Vec<u8>,
    audio: Vec<f32>,
}

impl FrameDecoder {
    /// A decoder for frames of a stream with this header, at its start. Loads the model's graph unless an earlier
    /// stream left one.
    ///
    /// # Errors
    /// [`CodingError::Model`] where no runtime starts or it refuses the graph, [`CodingError::Resampler`] for rates
    /// that can't be.
    pub fn new(model: &Arc<Model>, header: &Header) -> Result<Self, CodingError> {
        let channels = usize::from(header.channels);
        Ok(Self {
            stream: DecoderStream::new(model, channels)?,
            resampling: Resampling::new(header.model_rate, header.sample_rate, channels)?,
            channels,
            codebooks: header.format.codebooks(),
            hop: header.hop as usize,
            skip: u64::from(header.delay),
            made: 0,
            stereo: None,
            rise: None,
            held: vec![Vec::new(); channels],
            codes: Vec::new(),
            counts: Vec::new(),
            audio: Vec::new(),
        })
    }

    /// Starts anew at another frame: `skip` samples at the model's rate are dropped before sound is given out.
    pub(super) fn restart(&mut self, resampling: Resampling, skip: u64) -> Result<(), CodingError> {
        self.stream.reset()?;
        self.resampling = resampling;
        (self.skip, self.made, self.stereo) = (skip, 0, None);
        self.rise = None;
        self.held.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    /// Decodes frames `from..to` of `frames` and appends the sound that is ready to `sound`.
    ///
    /// # Errors
    /// [`CodingError::Model`] and [`CodingError::Resampler`] where these fail.
    ///
    /// # Panics
    /// Where there are no such frames or they have other channels than the stream.
    pub fn push(
        &mut self,
        frames: &Frames,
        range: std::ops::Range<usize>,
        sound: &mut [Vec<f32>],
    ) -> Result<(), CodingError> {
        if self.stereo.is_some_and(|stereo| stereo != frames.stereo()) {
            self.fade_out();
            self.rise = Some(1);
        }
        self.stereo = Some(frames.stereo());
        for from in range.clone().step_by(HOPS_AT_ONCE) {
            let hops = HOPS_AT_ONCE.min(range.end - from);
            self.decode(frames, from, hops)?;
            self.give(self.hop, sound)?;
        }
        Ok(())
    }

    fn decode(&mut self, frames: &Frames, from: usize, hops: usize) -> Result<(), CodingError> {
        let Self { channels, codebooks, hop, .. } = *self;
        self.codes.clear();
        self.counts.clear();
        for channel in 0..channels {
            for frame in from..from + hops {
                // The sum is decoded in both channels, so that their states stay alike.
                let codes = frames.codes(frame, channel.min(frames.channels() - 1));
                self.counts.push(codes.len() as u8);
                self.codes.extend_from_slice(codes);
                self.codes.resize(self.counts.len() * codebooks, 0);
            }
        }
        self.audio.clear();
        self.audio.resize(channels * hops * hop, 0.0);
        self.stream.step(&self.codes, &self.counts, hops, &mut self.audio)?;
        if channels == 2 {
            to_left_right(frames.stereo(), &mut self.audio);
        }
        for (held, audio) in self.held.iter_mut().zip(self.audio.chunks_exact_mut(hops * hop)) {
            let mut rise = self.rise;
            for hop in audio.chunks_exact_mut(hop) {
                match rise {
                    None => break,
                    Some(0) => {
                        let length = hop.len() as f32;
                        hop.iter_mut().zip(0..).for_each(|(sample, i)| *sample *= (i as f32 + 0.5) / length);
                        rise = None;
                    }
                    Some(silent) => {
                        hop.fill(0.0);
                        rise = Some(silent - 1);
                    }
                }
            }
            held.extend_from_slice(audio);
        }
        self.rise = self.rise.and_then(|silent| silent.checked_sub(hops));
        Ok(())
    }

    /// Appends the silence of `frames` frames that are missing; the next frames start anew.
    ///
    /// # Errors
    /// [`CodingError::Model`] and [`CodingError::Resampler`] where these fail.
    pub fn silence(&mut self, frames: usize, sound: &mut [Vec<f32>]) -> Result<(), CodingError> {
        self.fade_out();
        self.stream.reset()?;
        (self.stereo, self.rise) = (None, Some(0));
        let samples = frames * self.hop;
        self.held.iter_mut().for_each(|held| held.resize(held.len() + samples, 0.0));
        self.give(self.hop, sound)
    }

    /// The frames have ended: appends the rest. Of a sound of `length` samples (each channel) no more is given out in
    /// all; without a length, all that the frames make.
    ///
    /// # Errors
    /// [`CodingError::Resampler`] where it fails.
    pub fn finish(&mut self, length: Option<u64>, sound: &mut [Vec<f32>]) -> Result<(), CodingError> {
        self.give(0, sound)?;
        let most = self.resampling.output_length(self.made);
        self.resampling.finish(length.unwrap_or(most).min(most), sound)
    }

    /// Hands all but the last `keep` samples that are held on to the resampler.
    fn give(&mut self, keep: usize, sound: &mut [Vec<f32>]) -> Result<(), CodingError> {
        let ready = self.held[0].len().saturating_sub(keep);
        let dropped = ready.min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        self.skip -= dropped as u64;
        self.made += (ready - dropped) as u64;
        let pieces: Vec<&[f32]> = self.held.iter().map(|held| &held[dropped..ready]).collect();
        self.resampling.push(&pieces, sound)?;
        self.held.iter_mut().for_each(|held| drop(held.drain(..ready)));
        Ok(())
    }

    fn fade_out(&mut self) {
        for held in &mut self.held {
            let from = held.len().saturating_sub(self.hop);
            let length = (held.len() - from) as f32;
            held[from..].iter_mut().zip(0..).for_each(|(sample, i)| *sample *= 1.0 - (i as f32 + 0.5) / length);
        }
    }
}
