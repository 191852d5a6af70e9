//! How many bits a coded file spends on its sound.

use super::read::ReadError;
use std::path::Path;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// Bits of the packets of a file's audio, without its container, headers and tags.
///
/// # Errors
/// [`ReadError`] where the file can't be read.
pub fn coded_bits(path: &Path) -> Result<u64, ReadError> {
    let name = path.display().to_string();
    let unsupported = |why: String| ReadError::Unsupported { name: name.clone(), why };
    let file = std::fs::File::open(path).map_err(|why| ReadError::Open { name: name.clone(), why })?;
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|e| unsupported(e.to_string()))?;
    let track = format.first_track(TrackType::Audio).map(|track| track.id);
    let mut bytes = 0;
    while let Some(packet) = format.next_packet().map_err(|e| unsupported(e.to_string()))? {
        if Some(packet.track_id) == track {
            bytes += packet.data.len() as u64;
        }
    }
    Ok(bytes * 8)
}
