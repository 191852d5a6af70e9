//! Audio files and pipes, block by block: WAV, FLAC, MP3, Ogg Vorbis and Ogg Opus in, WAV and FLAC out.
//!
//! Everything streams in constant memory, so that ten hours read and write like ten seconds, and a pipe like a file.
//! Symphonia reads; Opus, which it only unpacks, is decoded by ropus, a port of the reference decoder in Rust. hound
//! and flacenc write. What is written goes to a temporary name beside the final one and takes the final one when it is
//! whole ([`Output`]), so no interruption leaves half a file that looks like a whole one.

mod bits;
mod flac;
mod opus;
mod output;
mod read;
mod resample;
mod wav;
mod write;

pub use bits::coded_bits;
pub use output::{Output, STDIO, discard_unfinished};
pub use read::{AudioReader, ReadError, Tag};
pub use resample::{ResampleError, resample};
pub use wav::mend_wav;
pub use write::{AudioFormat, AudioSpec, AudioWriter, SampleType, WriteError, Written};

/// Extensions of the files that can be read.
pub const AUDIO_EXTENSIONS: &[&str] = &["wav", "wave", "flac", "mp3", "ogg", "oga", "opus"];

/// The clip inside the program, a FLAC file.
static DEMO: &[u8] = include_bytes!("../../assets/demo.flac");
/// Its name.
pub const DEMO_NAME: &str = "demo.flac";

/// Opens the clip inside the program.
///
/// # Errors
/// If the program was built with a damaged clip.
pub fn demo() -> Result<AudioReader, ReadError> {
    AudioReader::from_bytes(DEMO_NAME, DEMO)
}
