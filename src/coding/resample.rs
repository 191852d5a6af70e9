//! Between the sound's sample rate and the model's, whole and without delay: an exact ratio, so that ten hours don't
//! drift, and blocks of even length, so that the filter's delay is a whole number of samples, which are dropped.

use super::CodingError;
use audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

/// Samples of a block at the lower rate, at least: the filter's length.
const BLOCK: usize = 1024;

/// Resamples planar sound that comes in pieces. Sample i of the input is sample i · to / from of the output.
pub(crate) struct Resampling {
    stage: Option<Stage>,
    from: u32,
    to: u32,
    /// Samples given out.
    made: u64,
}

struct Stage {
    fft: Fft<f32>,
    /// Input that makes no whole block yet.
    waiting: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    /// Samples of the filter's delay that are still to be dropped.
    delay: usize,
}

/// Greatest common divisor.
pub(super) fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Resampling {
    pub fn new(from: u32, to: u32, channels: usize) -> Result<Self, CodingError> {
        let stage = if from == to { None } else { Some(Stage::new(from, to, channels)?) };
        Ok(Self { stage, from, to, made: 0 })
    }

    /// Samples that `samples` become, rounded up.
    pub fn output_length(&self, samples: u64) -> u64 {
        (u128::from(samples) * u128::from(self.to)).div_ceil(u128::from(self.from)) as u64
    }

    /// Samples of input that a position of the output may depend on, before it and behind it.
    pub fn reach(&self) -> u64 {
        self.stage.as_ref().map_or(0, |stage| 2 * stage.fft.fft_size_in() as u64)
    }

    /// Takes `input` and appends what can be given out to `output`.
    pub fn push<S: AsRef<[f32]>>(&mut self, input: &[S], output: &mut [Vec<f32>]) -> Result<(), CodingError> {
        let had = output[0].len();
        match &mut self.stage {
            None => output.iter_mut().zip(input).for_each(|(output, input)| output.extend_from_slice(input.as_ref())),
            Some(stage) => {
                stage.waiting.iter_mut().zip(input).for_each(|(waiting, input)| {
                    waiting.extend_from_slice(input.as_ref());
                });
                stage.run(output)?;
            }
        }
        self.made += (output[0].len() - had) as u64;
        Ok(())
    }

    /// The input has ended: appends the rest, up to `length` samples of output in all.
    pub fn finish(&mut self, length: u64, output: &mut [Vec<f32>]) -> Result<(), CodingError> {
        if let Some(stage) = &mut self.stage {
            let silence = vec![vec![0.0; stage.fft.fft_size_in()]; output.len()];
            while self.made < length {
                let had = output[0].len();
                let stage = self.stage.as_mut().expect("there is one");
                stage.waiting.iter_mut().zip(&silence).for_each(|(waiting, silence)| {
                    waiting.extend_from_slice(silence);
                });
                stage.run(output)?;
                self.made += (output[0].len() - had) as u64;
            }
        }
        let over = self.made.saturating_sub(length) as usize;
        for output in output.iter_mut() {
            output.truncate(output.len().saturating_sub(over));
        }
        self.made = self.made.min(length);
        Ok(())
    }
}

impl Stage {
    fn new(from: u32, to: u32, channels: usize) -> Result<Self, CodingError> {
        let unit = (from.min(to) / gcd(from, to)) as usize;
        let units = BLOCK.div_ceil(2 * unit) * 2;
        let block = units * (from / gcd(from, to)) as usize;
        let fft = Fft::new_custom(
            from as usize,
            to as usize,
            block,
            1,
            channels,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )
        .map_err(|e| CodingError::Resampler { from, to, why: e.to_string() })?;
        let output = vec![vec![0.0; fft.fft_size_out()]; channels];
        Ok(Self { delay: fft.output_delay(), waiting: vec![Vec::new(); channels], output, fft })
    }

    fn run(&mut self, output: &mut [Vec<f32>]) -> Result<(), CodingError> {
        let (size_in, size_out) = (self.fft.fft_size_in(), self.fft.fft_size_out());
        let fail = |why: String| CodingError::Resampler { from: size_in as u32, to: size_out as u32, why };
        let mut used = 0;
        while self.waiting[0].len() - used >= size_in {
            let indexing = rubato::Indexing::new().input_offset(used);
            let channels = self.waiting.len();
            let waiting = self.waiting[0].len();
            let input =
                SequentialSliceOfVecs::new(&self.waiting, channels, waiting).map_err(|e| fail(e.to_string()))?;
            let mut made = SequentialSliceOfVecs::new_mut(&mut self.output, channels, size_out)
                .map_err(|e| fail(e.to_string()))?;
            self.fft.process_into_buffer(&input, &mut made, Some(&indexing)).map_err(|e| fail(e.to_string()))?;
            used += size_in;
            let dropped = self.delay.min(size_out);
            self.delay -= dropped;
            for (output, made) in output.iter_mut().zip(&self.output) {
                output.extend_from_slice(&made[dropped..]);
            }
        }
        if used > 0 {
            self.waiting.iter_mut().for_each(|waiting| drop(waiting.drain(..used)));
        }
        Ok(())
    }
}
