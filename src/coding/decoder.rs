//! A file to sound.

use super::frame_decoder::FrameDecoder;
use super::resample::{Resampling, gcd};
use super::{CodingError, model_id};
use crate::container::{ContainerError, Damage, Frames, Header, Part, Reader, Tags};
use crate::model::Model;
use std::io::{Read, Seek};
use std::sync::Arc;

/// Frames that are decoded for one piece of sound.
const FRAMES_AT_ONCE: usize = 32;
/// Damages kept by name; more are only counted.
const MAX_DAMAGES: usize = 1000;
/// Frames decoded before the one that is sought, so that the decoder's state is what it would have been.
const PREROLL: u64 = 64;

/// Decodes a `.vrvq` file piece by piece. What it keeps doesn't grow with the file.
///
/// What is damaged or missing is silence of the right length, so that the rest stays where it belongs, and is named
/// by [`Self::damage`].
pub struct Decoder<R> {
    reader: Reader<R>,
    frames: FrameDecoder,
    /// Frames being decoded and the next of them.
    block: Option<(Frames, usize)>,
    /// Missing frames whose silence hasn't been given out.
    silent: u64,
    /// Frames before this one aren't decoded.
    start: u64,
    /// Position of the first sample since the start or the last seek, and how many came out since.
    origin: u64,
    given: u64,
    /// Position at which the resampler started, and samples from there on that are still to be dropped.
    resampled_from: u64,
    drop: u64,
    damage: Vec<Damage>,
    damages: u64,
    ended: bool,
}

impl<R: Read> Decoder<R> {
    /// Decodes from anything that gives bytes, from its first block on.
    ///
    /// # Errors
    /// [`CodingError::Container`] for what is no `.vrvq` file, [`CodingError::OtherModel`] where it was made with
    /// another model, otherwise those of [`FrameDecoder::new`].
    pub fn new(input: R, model: &Arc<Model>) -> Result<Self, CodingError> {
        Self::of(Reader::new(input)?, model)
    }

    /// Decodes what `reader` reads, from its first block on.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn of(mut reader: Reader<R>, model: &Arc<Model>) -> Result<Self, CodingError> {
        let header = reader.header();
        let (wanted, got) = (&header.model, model_id(model));
        let card = model.card();
        if wanted.hash != got.hash {
            return Err(CodingError::OtherModel { wanted: Box::new(wanted.clone()), got: Box::new(got) });
        }
        // A forged header can name the right model and other numbers.
        let same = header.hop as usize == card.hop && header.model_rate == card.sample_rate;
        if !same || header.format != model.packet_format() {
            let what = format!("its frames aren't those of its model {}", card.name);
            return Err(ContainerError::Header(what).into());
        }
        reader.set_tables(model.tables())?;
        Ok(Self {
            frames: FrameDecoder::new(model, reader.header())?,
            reader,
            block: None,
            silent: 0,
            start: 0,
            origin: 0,
            given: 0,
            resampled_from: 0,
            drop: 0,
            damage: Vec::new(),
            damages: 0,
            ended: false,
        })
    }

    /// What the file states about itself.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    /// The tags that have come so far.
    pub fn tags(&self) -> &Tags {
        self.reader.tags()
    }

    /// Sample rate of the sound in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.header().sample_rate
    }

    /// Channels of the sound.
    pub fn channels(&self) -> usize {
        self.header().channels.into()
    }

    /// Samples of each channel, where the header or the end states them.
    pub fn length(&self) -> Option<u64> {
        self.reader.end().map(|end| end.length).or(self.header().length)
    }

    /// Position of the next sample.
    pub fn position(&self) -> u64 {
        self.origin + self.given
    }

    /// What was found to be wrong so far, the first thousand.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// How many things were found to be wrong so far.
    pub fn damages(&self) -> u64 {
        self.damages
    }

    /// Replaces `sound` by the next piece, planar, and returns its samples (each channel): 0 at the end.
    ///
    /// # Errors
    /// [`CodingError::Container`] where the input can't be read, [`CodingError::Model`] and
    /// [`CodingError::Resampler`] where these fail. Damage is no error.
    pub fn read(&mut self, sound: &mut Vec<Vec<f32>>) -> Result<usize, CodingError> {
        sound.resize_with(self.channels(), Vec::new);
        sound.iter_mut().for_each(Vec::clear);
        while sound[0].is_empty() && !self.ended {
            self.step(sound)?;
            let drop = self.drop.min(sound[0].len() as u64);
            self.drop -= drop;
            // What isn't known before the end can't be kept to before it.
            let left = self.length().map_or(u64::MAX, |length| length.saturating_sub(self.position()));
            let keep = (sound[0].len() as u64 - drop).min(left);
            for channel in sound.iter_mut() {
                channel.drain(..drop as usize);
                channel.truncate(keep as usize);
            }
            self.given += keep;
            if left == keep && !self.ended {
                self.ended = true;
                self.read_out()?;
            }
        }
        Ok(sound[0].len())
    }

    /// All sound was given out: what is still wrong behind it is named all the same.
    fn read_out(&mut self) -> Result<(), CodingError> {
        while let Some(part) = self.reader.next()? {
            if let Part::Damage(damage) = part {
                self.note(damage);
            }
        }
        Ok(())
    }

    fn note(&mut self, damage: Damage) {
        self.damages += 1;
        if self.damage.len() < MAX_DAMAGES {
            self.damage.push(damage);
        }
    }

    /// Decodes a few frames, or takes the next part of the file.
    fn step(&mut self, sound: &mut [Vec<f32>]) -> Result<(), CodingError> {
        if self.silent > 0 {
            let frames = self.silent.min(FRAMES_AT_ONCE as u64);
            self.silent -= frames;
            return self.frames.silence(frames as usize, sound);
        }
        if let Some((frames, next)) = &mut self.block {
            let end = frames.len().min(*next + FRAMES_AT_ONCE);
            self.frames.push(frames, *next..end, sound)?;
            *next = end;
            if end == frames.len() {
                self.block = None;
            }
            return Ok(());
        }
        match self.reader.next()? {
            Some(Part::Frames(frames)) => {
                let from = (self.start.saturating_sub(frames.first()) as usize).min(frames.len());
                self.block = (from < frames.len()).then_some((frames, from));
            }
            Some(Part::Gap { first, frames }) => self.silent = frames.saturating_sub(self.start.saturating_sub(first)),
            Some(Part::Damage(damage)) => {
                self.note(damage);
                self.silent = damage.frames;
            }
            None => {
                let length = self.length().map(|length| length.saturating_sub(self.resampled_from));
                self.frames.finish(length, sound)?;
                self.ended = true;
            }
        }
        Ok(())
    }
}

impl<R: Read + Seek> Decoder<R> {
    /// As [`Self::new`], for an input in which one can go to and fro: the length is known at once.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn open(input: R, model: &Arc<Model>) -> Result<Self, CodingError> {
        Self::of(Reader::open(input)?, model)
    }

    /// Goes to a sample: the next piece begins with it. Behind the end there is nothing.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn seek(&mut self, sample: u64) -> Result<(), CodingError> {
        let header = self.reader.header();
        let (from, to) = (header.model_rate, header.sample_rate);
        let unit = gcd(from, to);
        let (units_from, units_to) = (u64::from(from / unit), u64::from(to / unit));
        let resampling = Resampling::new(from, to, header.channels.into())?;
        // The resampler starts where a sample of the one rate coincides with one of the other.
        let unit = (sample / units_to).saturating_sub(resampling.reach().div_ceil(units_from));
        let delayed = (unit * units_from).saturating_add(u64::from(header.delay));
        let hop = u64::from(header.hop);
        self.start = (delayed / hop).saturating_sub(PREROLL);
        self.frames.restart(resampling, delayed - self.start * hop)?;
        self.reader.seek(self.start)?;
        (self.block, self.silent, self.ended) = (None, 0, false);
        (self.origin, self.given) = (sample, 0);
        self.resampled_from = unit * units_to;
        self.drop = sample - self.resampled_from;
        Ok(())
    }
}
