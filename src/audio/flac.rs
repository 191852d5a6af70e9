//! FLAC by flacenc, frame by frame, so that a file of any length is written in constant memory.

use super::output::Output;
use super::write::{AudioSpec, Failure, SampleType};
use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, Stream, StreamInfo};
use flacenc::config;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};
use std::io::{Seek, SeekFrom, Write};

/// Samples of a frame: what most FLAC files have.
const BLOCK: usize = 4096;

/// A FLAC file that is being written.
pub struct FlacWriter {
    output: Output,
    config: Verified<config::Encoder>,
    info: StreamInfo,
    buffer: FrameBuf,
    /// Counts samples and keeps their checksum.
    context: Context,
    /// Interleaved samples that don't fill a frame yet.
    waiting: Vec<i32>,
    channels: usize,
    known_frames: Option<u64>,
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Unsupported(format!("FLAC: {error}"))
}

/// The stream's header, which has the same length whatever it states.
fn header(info: &StreamInfo) -> Result<Vec<u8>, Failure> {
    let mut sink = ByteSink::new();
    Stream::with_stream_info(info.clone()).write(&mut sink).map_err(failed)?;
    Ok(sink.into_inner())
}

impl FlacWriter {
    pub fn new(mut output: Output, spec: AudioSpec) -> Result<Self, Failure> {
        let bits = match spec.samples {
            SampleType::Float32 => return Err(Failure::Unsupported("FLAC holds integers of 16 or 24 bits".into())),
            integers => usize::from(integers.bits()),
        };
        let unfit = |_| {
            let AudioSpec { channels, sample_rate, .. } = spec;
            Failure::Unsupported(format!("FLAC can't hold {channels} channels at {sample_rate} Hz; WAV can"))
        };
        let mut info = StreamInfo::new(spec.sample_rate as usize, spec.channels, bits).map_err(unfit)?;
        info.set_block_sizes(BLOCK, BLOCK).map_err(failed)?;
        info.set_frame_sizes(0, 0).map_err(failed)?;
        info.set_total_samples(spec.frames.unwrap_or(0) as usize);
        output.write_all(&header(&info)?)?;
        Ok(Self {
            config: config::Encoder::default().into_verified().map_err(|(_, error)| failed(error))?,
            buffer: FrameBuf::with_size(spec.channels, BLOCK).map_err(unfit)?,
            context: Context::new(bits, spec.channels),
            waiting: Vec::with_capacity(2 * BLOCK * spec.channels),
            channels: spec.channels,
            known_frames: spec.frames,
            output,
            info,
        })
    }

    pub fn write(&mut self, interleaved: &[i32]) -> Result<(), Failure> {
        self.waiting.extend_from_slice(interleaved);
        let whole = self.waiting.len() / (BLOCK * self.channels) * BLOCK * self.channels;
        let waiting = std::mem::take(&mut self.waiting);
        for block in waiting[..whole].chunks_exact(BLOCK * self.channels) {
            self.encode(block)?;
        }
        self.waiting = waiting;
        self.waiting.drain(..whole);
        Ok(())
    }

    fn encode(&mut self, block: &[i32]) -> Result<(), Failure> {
        self.buffer.fill_interleaved(block).map_err(failed)?;
        self.context.fill_interleaved(block).map_err(failed)?;
        let number = self.context.current_frame_number().unwrap_or(0);
        let frame = flacenc::encode_fixed_size_frame(&self.config, &self.buffer, number, &self.info).map_err(failed)?;
        let mut sink = ByteSink::with_capacity(frame.count_bits());
        frame.write(&mut sink).map_err(failed)?;
        Ok(self.output.write_all(sink.as_slice())?)
    }

    pub fn finish(mut self) -> Result<(), Failure> {
        let rest = std::mem::take(&mut self.waiting);
        if !rest.is_empty() {
            self.encode(&rest)?;
        }
        if self.output.seekable() {
            self.info.set_total_samples(self.context.total_samples());
            self.info.set_md5_digest(&self.context.md5_digest());
            self.output.seek(SeekFrom::Start(0))?;
            self.output.write_all(&header(&self.info)?)?;
        } else if self.known_frames.is_some_and(|frames| frames != self.context.total_samples() as u64) {
            return Err(Failure::Unsupported("its length isn't the one that was announced".into()));
        }
        Ok(self.output.finish()?)
    }
}
