//! Why a file can't be read or written at all. Damage inside a file is no error: it is named and passed over
//! ([`super::Damage`]).

use crate::codec::PacketError;
use thiserror::Error;

/// Why a `.vrvq` file can't be read or written.
#[derive(Debug, Error)]
pub enum ContainerError {
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// There is no header where one must be.
    #[error("this is no .vrvq file, or its beginning is damaged: no header in its first {0} bytes")]
    NoHeader(u64),
    /// The file was written by a later version.
    #[error("the file has version {found} of the format; this program reads version {known}", known = super::VERSION)]
    Version { found: u8 },
    /// The header states something that can't be.
    #[error("the file's header: {0}")]
    Header(String),
    /// The header's numbers of codebooks don't make a packet.
    #[error("the file's header: {0}")]
    Format(PacketError),
    /// Something doesn't fit its place in the format.
    #[error("{what} is too long for a .vrvq file")]
    TooLong { what: &'static str },
    /// A tag's key must be text without `=` and control characters.
    #[error("\"{0}\" can't be the key of a tag")]
    TagKey(String),
    /// A frame isn't of the stream it is written to.
    #[error("a frame doesn't fit the file: {0}")]
    Frame(String),
    /// A code outside its codebook.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The codes were written with tables of a model that isn't at hand.
    #[error(
        "the codes were written with tables (checksum {wanted:08x}) of the model {model}; open the file with that model"
    )]
    Tables { wanted: u32, model: String },
}
