//! Sound to `.vrvq` files and back: the library's way in. It stands on [`model`](crate::model), which makes codes, and
//! [`container`](crate::container), which keeps them.
//!
//! [`Encoder`] and [`Decoder`] go from sound to bytes and back, piece by piece or ([`encode`], [`decode`]) at once;
//! [`FrameEncoder`] and [`FrameDecoder`] stop at the frames, for who has a place of their own to put them.
//! What comes back has the length of what went in, to the sample, and is aligned with it.
//!
//! ```
//! use vrvq::coding::{EncodeSettings, decode, encode};
//! use vrvq::codec::RateControl;
//! use vrvq::model::Model;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::builtin()?;
//! // A fading tone, one second at 48 kHz, in one channel.
//! let tone: Vec<f32> = (0..48_000).map(|i| (0.05 * i as f32).sin() * (-1e-4 * i as f32).exp()).collect();
//! let settings = EncodeSettings { rate: Some(RateControl::Level(16.0)), ..EncodeSettings::default() };
//! let file = encode(&model, 48_000, &[tone], settings)?;
//! let decoded = decode(&model, &file)?;
//! assert_eq!(decoded.channels[0].len(), 48_000);
//! assert!(decoded.damage.is_empty());
//! # Ok(())
//! # }
//! ```

mod decoder;
mod encoder;
mod error;
mod frame_decoder;
mod frame_encoder;
mod resample;

pub use decoder::Decoder;
pub use encoder::{EncodeSettings, Encoder};
pub use error::CodingError;
pub use frame_decoder::FrameDecoder;
pub use frame_encoder::{CodedFrame, FrameEncoder};
#[cfg(feature = "live")]
pub(crate) use resample::Resampling;

use crate::codec::{Rate, RateControl, TargetControl};
use crate::container::{Damage, ModelId};
use crate::model::Model;
use std::io::Cursor;
use std::sync::Arc;

/// How a file names a model.
pub fn model_id(model: &Model) -> ModelId {
    ModelId { name: model.card().name.clone(), hash: *model.hash() }
}

/// What the next frame is packed at.
fn resolve(rate: RateControl, target: &mut TargetControl) -> Rate {
    match rate {
        RateControl::Level(level) => Rate::Level(level),
        RateControl::Codebooks(number) => Rate::Codebooks(number),
        RateControl::Target(_) => Rate::Level(target.level()),
    }
}

/// Encodes planar sound, all of it, into the bytes of a `.vrvq` file.
///
/// # Errors
/// Those of [`Encoder`].
pub fn encode<S: AsRef<[f32]>>(
    model: &Arc<Model>,
    sample_rate: u32,
    channels: &[S],
    settings: EncodeSettings,
) -> Result<Vec<u8>, CodingError> {
    let length = channels.first().map(|channel| channel.as_ref().len() as u64);
    let settings = EncodeSettings { length: settings.length.or(length), ..settings };
    let mut encoder = Encoder::new(Vec::new(), model, sample_rate, channels.len(), settings)?;
    encoder.push(channels)?;
    encoder.finish()
}

/// A file's sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// In Hz.
    pub sample_rate: u32,
    /// Planar, all of one length.
    pub channels: Vec<Vec<f32>>,
    /// What was wrong with the file.
    pub damage: Vec<Damage>,
}

/// Decodes the bytes of a `.vrvq` file, all of it.
///
/// # Errors
/// Those of [`Decoder`].
pub fn decode(model: &Arc<Model>, file: &[u8]) -> Result<Decoded, CodingError> {
    let mut decoder = Decoder::open(Cursor::new(file), model)?;
    let mut channels = vec![Vec::new(); decoder.channels()];
    let mut piece = Vec::new();
    while decoder.read(&mut piece)? > 0 {
        channels.iter_mut().zip(&piece).for_each(|(channel, piece)| channel.extend_from_slice(piece));
    }
    Ok(Decoded { sample_rate: decoder.sample_rate(), channels, damage: decoder.damage().to_vec() })
}
