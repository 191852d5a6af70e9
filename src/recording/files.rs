//! The two files of a recording.

use super::{Progress, RecordError};
use crate::audio::{AudioFormat, AudioSpec, AudioWriter, Output, SampleType};
use crate::codec::{Rate, StereoMode};
use crate::coding::{Resampling, model_id};
use crate::container::{ContainerError, Header, Payload, Tags, Writer};
use crate::engine::{StreamFormat, TapFrame};
use crate::saved;

/// Most bytes of samples in the WAV: what its header can count, less some.
const MAX_WAV_BYTES: u64 = 4_200_000_000;
/// Bytes of one sample in the WAV.
const SAMPLE_BYTES: u64 = 4;

/// Both files, while they grow.
pub(super) struct Files {
    format: StreamFormat,
    name: String,
    sample_rate: u32,
    /// Most samples of each channel.
    limit: u64,
    /// The `.vrvq` before its first frame: how many frames are before that decides what its header says.
    unopened: Option<Output>,
    preroll: Vec<TapFrame>,
    writer: Option<Writer<Output>>,
    /// Frames of nothing that aren't written yet.
    gap: u64,
    /// Bits of the frames in the block that isn't written yet, as plain packets, and the bytes written when it began.
    pending: (u64, u64),
    missing: u64,
    wav: Option<AudioWriter>,
    wav_frames: u64,
    resampling: Resampling,
    /// The last hop, planar, which waits for what comes next.
    held: Vec<Vec<f32>>,
    /// Samples still to be dropped: the codec's delay.
    skip: usize,
    /// Samples at the model's rate that came out.
    made: u64,
    /// The next hop follows a gap, and fades in.
    rises: bool,
    resampled: Vec<Vec<f32>>,
    notes: Vec<String>,
}

/// How the files ended.
pub(super) struct Finished {
    pub progress: Progress,
    pub notes: Vec<String>,
    pub result: Result<(), RecordError>,
}

/// Fades a hop in or out as [`FrameDecoder`](crate::coding::FrameDecoder) does around what is missing.
fn fade(hop: &mut [f32], rising: bool) {
    let length = hop.len() as f32;
    for (index, sample) in hop.iter_mut().enumerate() {
        let share = (index as f32 + 0.5) / length;
        *sample *= if rising { share } else { 1.0 - share };
    }
}

impl Files {
    /// Starts the WAV; the `.vrvq` starts with the first frame.
    pub fn new(format: &StreamFormat, vrvq: Output, wav: Output, limit: Option<u64>) -> Result<Self, RecordError> {
        let (card, sample_rate) = (format.model.card(), format.sample_rate.round() as u32);
        let spec = AudioSpec {
            sample_rate,
            channels: format.channels,
            samples: SampleType::Float32,
            format: AudioFormat::Wav,
            frames: None,
        };
        Ok(Self {
            name: vrvq.name(),
            sample_rate,
            limit: limit.unwrap_or(u64::MAX),
            unopened: Some(vrvq),
            preroll: Vec::new(),
            writer: None,
            gap: 0,
            pending: (0, 0),
            missing: 0,
            wav: Some(AudioWriter::new(wav, spec)?),
            wav_frames: 0,
            resampling: Resampling::new(card.sample_rate, sample_rate, format.channels)?,
            held: vec![Vec::new(); format.channels],
            skip: format.delay,
            made: 0,
            rises: false,
            resampled: vec![Vec::new(); format.channels],
            notes: Vec::new(),
            format: format.clone(),
        })
    }

    /// Whether the limit is reached.
    pub fn full(&self) -> bool {
        self.resampling.output_length(self.made) >= self.limit
    }

    /// What was written, and what waits in the `.vrvq`'s block.
    pub fn progress(&self) -> Progress {
        Progress {
            seconds: self.length() as f64 / f64::from(self.sample_rate),
            bytes: self.writer.as_ref().map_or(0, Writer::bytes) + self.pending.0 / 8,
            wav_bytes: self.wav_frames * self.format.channels as u64 * SAMPLE_BYTES,
            missing: self.missing,
        }
    }

    /// Samples of each channel in the files.
    fn length(&self) -> u64 {
        self.resampling.output_length(self.made).min(self.limit)
    }

    /// Takes a frame and its sound, `[channels, hop]`.
    pub fn push(&mut self, frame: &TapFrame, sound: &[f32]) -> Result<(), RecordError> {
        if frame.preroll {
            self.preroll.push(*frame);
            return Ok(());
        }
        // The files begin with their first frame, whatever was missing before.
        let missing = if self.writer.is_some() { frame.missing } else { 0 };
        self.missing += missing;
        self.write_frame(frame, missing).map_err(|source| RecordError::Vrvq { name: self.name.clone(), source })?;
        self.write_sound(missing, sound)
    }

    fn write_frame(&mut self, frame: &TapFrame, missing: u64) -> Result<(), ContainerError> {
        if let Some(output) = self.unopened.take() {
            let stereo = self.preroll.first().unwrap_or(frame).stereo;
            self.open(output, stereo)?;
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        self.gap += missing + u64::from(frame.lost);
        if !frame.lost {
            if self.gap > 0 {
                writer.skip(std::mem::take(&mut self.gap))?;
            }
            push(writer, frame)?;
        }
        let bits: u64 = frame.frames[..usize::from(frame.channels)].iter().map(|frame| u64::from(frame.bits)).sum();
        let pending = if self.pending.1 == writer.bytes() { self.pending.0 } else { 0 };
        self.pending = (pending + bits, writer.bytes());
        Ok(())
    }

    /// Writes the header and the frames before the first.
    fn open(&mut self, output: Output, stereo: StereoMode) -> Result<(), ContainerError> {
        let (model, card) = (&self.format.model, self.format.model.card());
        let preroll = std::mem::take(&mut self.preroll);
        let header = Header {
            model: model_id(model),
            model_rate: card.sample_rate,
            hop: card.hop as u32,
            format: model.packet_format(),
            sample_rate: self.sample_rate,
            channels: self.format.channels as u8,
            stereo: if self.format.channels == 2 { stereo } else { StereoMode::LeftRight },
            delay: (self.format.delay + preroll.len() * card.hop) as u32,
            length: None,
            rate: None,
            payload: Payload::Entropy,
            tables: None,
        };
        let mut tags = Tags::default();
        tags.push("DATE", &saved::stamp(time::OffsetDateTime::now_utc(), ["-", " ", ":"]))?;
        tags.push("ENCODER", concat!("vrvq ", env!("CARGO_PKG_VERSION")))?;
        let mut writer = Writer::new(output, header, &tags, model.tables())?;
        for frame in &preroll {
            if frame.lost {
                writer.skip(1)?;
            } else {
                push(&mut writer, frame)?;
            }
        }
        self.writer = Some(writer);
        Ok(())
    }

    fn write_sound(&mut self, missing: u64, sound: &[f32]) -> Result<(), RecordError> {
        let hop = self.format.model.card().hop;
        if missing > 0 {
            for held in &mut self.held {
                let from = held.len().saturating_sub(hop);
                fade(&mut held[from..], false);
            }
            for _ in 0..missing {
                self.held.iter_mut().for_each(|held| held.resize(held.len() + hop, 0.0));
                self.give(hop)?;
            }
            self.rises = true;
        }
        for (held, sound) in self.held.iter_mut().zip(sound.chunks_exact(hop)) {
            let from = held.len();
            held.extend_from_slice(sound);
            if self.rises {
                fade(&mut held[from..], true);
            }
        }
        self.rises = false;
        self.give(hop)
    }

    /// Writes all sound but the last `keep` samples at the model's rate.
    fn give(&mut self, keep: usize) -> Result<(), RecordError> {
        let ready = self.held[0].len().saturating_sub(keep);
        let dropped = ready.min(self.skip);
        self.skip -= dropped;
        self.made += (ready - dropped) as u64;
        let pieces: Vec<&[f32]> = self.held.iter().map(|held| &held[dropped..ready]).collect();
        self.resampling.push(&pieces, &mut self.resampled)?;
        self.held.iter_mut().for_each(|held| drop(held.drain(..ready)));
        self.write_wav()
    }

    fn write_wav(&mut self) -> Result<(), RecordError> {
        let left = usize::try_from(self.limit - self.wav_frames).unwrap_or(usize::MAX);
        self.resampled.iter_mut().for_each(|channel| channel.truncate(left));
        let frames = self.resampled[0].len() as u64;
        if let Some(wav) = &mut self.wav {
            wav.write(&self.resampled)?;
            self.wav_frames += frames;
        }
        self.resampled.iter_mut().for_each(Vec::clear);
        if (self.wav_frames + frames) * self.format.channels as u64 * SAMPLE_BYTES > MAX_WAV_BYTES
            && let Some(wav) = self.wav.take()
        {
            wav.finish()?;
            self.notes.push("The WAV is full (4 GB); the .vrvq goes on.".to_owned());
        }
        Ok(())
    }

    /// Completes what can be completed.
    pub fn finish(mut self) -> Finished {
        let result = self.complete();
        let progress = self.progress();
        if self.missing > 0 {
            let seconds = self.missing as f64 / self.format.model.card().frame_rate();
            self.notes.push(format!("{seconds:.1} s of it are missing and marked as gaps."));
        }
        Finished { progress, notes: self.notes, result }
    }

    fn complete(&mut self) -> Result<(), RecordError> {
        // Both are tried before an error of either is told.
        let sound = self.complete_wav();
        let (length, name) = (self.length(), self.name.clone());
        let named = |source| RecordError::Vrvq { name: name.clone(), source };
        if let Some(output) = self.unopened.take() {
            self.open(output, StereoMode::default()).map_err(named)?;
        }
        let Some(mut writer) = self.writer.take() else { return sound };
        if self.gap > 0 {
            writer.skip(self.gap).map_err(named)?;
        }
        writer.flush().map_err(named)?;
        // The end adds a few bytes to these.
        self.pending.0 = 8 * writer.bytes();
        let output = writer.finish(length).map_err(named)?;
        output.finish().map_err(|source| named(ContainerError::Io(source)))?;
        sound
    }

    fn complete_wav(&mut self) -> Result<(), RecordError> {
        self.give(0)?;
        let length = self.resampling.output_length(self.made);
        self.resampling.finish(length, &mut self.resampled)?;
        self.write_wav()?;
        match self.wav.take() {
            Some(wav) => wav.finish().map(|_| ()).map_err(Into::into),
            None => Ok(()),
        }
    }
}

fn push(writer: &mut Writer<Output>, frame: &TapFrame) -> Result<(), ContainerError> {
    writer.push(frame.stereo, matches!(frame.rate, Rate::Codebooks(_)), frame.codes())
}
