//! What a checkpoint's shapes say of its model: descript's DAC, and VRVQ, which adds the importance subnet.

use super::{ImportError, StateDict};
use crate::codec::MAX_CODEBOOKS;

/// Widths and strides of a DAC or VRVQ model (VRVQ: section "Signal path" of the paper; DAC: Kumar et al. 2023).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// In Hz.
    pub sample_rate: u32,
    /// Channels of the encoder's first convolution; doubled by each block.
    pub encoder_width: usize,
    /// Stride of each block of the encoder.
    pub encoder_strides: Vec<usize>,
    /// Channels of the latent, D.
    pub latent: usize,
    /// Channels of the decoder's first convolution; halved by each block.
    pub decoder_width: usize,
    /// Stride of each block of the decoder.
    pub decoder_strides: Vec<usize>,
    /// Codebooks, Nq.
    pub codebooks: usize,
    /// Entries in each codebook.
    pub codebook_size: usize,
    /// Dimensions of an entry.
    pub codebook_dims: usize,
    /// Channels of the importance subnet's convolutions after the first, the last 1; empty where there is no subnet.
    pub importance: Vec<usize>,
}

/// Limits that keep a hostile checkpoint from asking for much: those of the largest published model four times over.
const MAX_WIDTH: usize = 8192;
const MAX_BLOCKS: usize = 8;
const MAX_STRIDE: usize = 64;
const MAX_IMPORTANCE: usize = 16;

impl Architecture {
    /// Reads the architecture from the shapes of `state`; the sample rate, which no shape tells, from `sample_rate` or
    /// from what the checkpoint was constructed with.
    ///
    /// # Errors
    /// [`ImportError::Missing`] where it isn't such a model, [`ImportError::Architecture`] where it can't be run.
    pub fn of(state: &StateDict, sample_rate: Option<u32>) -> Result<Self, ImportError> {
        let [encoder_width, ..] = dims(state, "encoder.block.0")?;
        let encoder_strides = strides(state, |block| format!("encoder.block.{block}.block.4"))?;
        let [latent, ..] = dims(state, &format!("encoder.block.{}", encoder_strides.len() + 2))?;
        let [decoder_width, ..] = dims(state, "decoder.model.0")?;
        let decoder_strides = strides(state, |block| format!("decoder.model.{block}.block.1"))?;
        let codebooks = (0..).take_while(|&k| state.shape(&codebook(k)).is_some()).count();
        let Some(&[codebook_size, codebook_dims]) = state.shape(&codebook(0)) else {
            return Err(ImportError::Missing { name: codebook(0) });
        };
        let subnet = |index: usize| format!("quantizer.imp_subnet.blocks.{index}.1");
        let importance = (0..MAX_IMPORTANCE).map_while(|index| dims(state, &subnet(index)).ok()).map(|[out, ..]| out);
        let importance: Vec<usize> = importance.collect();
        let stated = state.argument("sample_rate").and_then(|rate| u32::try_from(rate).ok());
        let hop = |strides: &[usize]| strides.iter().product::<usize>();
        let Some(sample_rate) = sample_rate.or(stated).or((hop(&encoder_strides) == 512).then_some(44_100)) else {
            return Err(ImportError::Architecture("it doesn't tell its sample rate; give it by hand".into()));
        };
        let this = Self {
            sample_rate,
            encoder_width,
            encoder_strides,
            latent,
            decoder_width,
            decoder_strides,
            codebooks,
            codebook_size,
            codebook_dims,
            importance,
        };
        this.check().map_err(ImportError::Architecture)?;
        Ok(this)
    }

    fn check(&self) -> Result<(), String> {
        let within = |what: &str, value: usize, most: usize| {
            if (1..=most).contains(&value) { Ok(()) } else { Err(format!("{what} is {value}, not 1 to {most}")) }
        };
        within("the number of the encoder's blocks", self.encoder_strides.len(), MAX_BLOCKS)?;
        within("the number of the decoder's blocks", self.decoder_strides.len(), MAX_BLOCKS)?;
        for &stride in self.encoder_strides.iter().chain(&self.decoder_strides) {
            within("a stride", stride, MAX_STRIDE)?;
        }
        within("the encoder's width", self.encoder_width << self.encoder_strides.len(), MAX_WIDTH)?;
        within("the decoder's width", self.decoder_width, MAX_WIDTH)?;
        within("the latent's width", self.latent, MAX_WIDTH)?;
        within("the number of codebooks", self.codebooks, MAX_CODEBOOKS)?;
        within("the number of a codebook's entries", self.codebook_size, 1 << 16)?;
        within("the dimensions of a codebook", self.codebook_dims, MAX_WIDTH)?;
        let (encoder, decoder) = (self.hop(), self.decoder_strides.iter().product::<usize>());
        if encoder != decoder {
            return Err(format!("its encoder's hop is {encoder} samples and its decoder's {decoder}"));
        }
        if self.importance.last().is_some_and(|&channels| channels != 1) {
            return Err("its importance subnet doesn't end in one channel".into());
        }
        Ok(())
    }

    /// Samples of one frame.
    pub fn hop(&self) -> usize {
        self.encoder_strides.iter().product()
    }

    /// Whether it has an importance map; without one it is for constant bitrate only.
    pub fn has_importance(&self) -> bool {
        !self.importance.is_empty()
    }
}

fn codebook(k: usize) -> String {
    format!("quantizer.quantizers.{k}.codebook.weight")
}

/// The shape of a convolution's weights, however they are stored.
pub(super) fn dims(state: &StateDict, layer: &str) -> Result<[usize; 3], ImportError> {
    let names = ["weight_v", "weight", "parametrizations.weight.original1"].map(|name| format!("{layer}.{name}"));
    match names.iter().find_map(|name| state.shape(name)) {
        Some(&[a, b, c]) => Ok([a, b, c]),
        Some(shape) => Err(ImportError::Architecture(format!("{layer} has weights of {shape:?}"))),
        None => Err(ImportError::Missing { name: format!("{layer}.weight_v") }),
    }
}

/// The strides of consecutive blocks from 1 on, from their kernels of twice the stride.
fn strides(state: &StateDict, layer: impl Fn(usize) -> String) -> Result<Vec<usize>, ImportError> {
    let kernels = (1..=MAX_BLOCKS + 1).map_while(|block| dims(state, &layer(block)).ok()).map(|[.., kernel]| kernel);
    let strides: Vec<usize> = kernels.map(|kernel| kernel / 2).collect();
    if strides.is_empty() {
        return Err(ImportError::Missing { name: format!("{}.weight_v", layer(1)) });
    }
    Ok(strides)
}
