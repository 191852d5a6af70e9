//! The `.vrvq` file: frames and what is needed to decode them, in blocks that stand for themselves. No model, no
//! threads; the format is described in `docs/format.md`.
//!
//! Decisions:
//! - *Blocks with a sync word, a checksum and frame numbers.* A reader can start at any block, and what is damaged
//!   costs its own frames. Everything stands in blocks, the header too, which is repeated.
//! - *Nothing is written twice in place.* What is known only at the end (length, index) stands there, so that a pipe
//!   is as good as a file.
//! - *No length is believed*: payloads have 64 KiB at most, and every count in them is checked against the bytes or
//!   a fixed bound before anything is allocated. Memory is that of a block.

mod block;
mod bytes;
mod damage;
mod error;
mod frames;
mod header;
mod index;
mod reader;
mod tags;
mod writer;

pub use damage::{Damage, DamageKind};
pub use error::ContainerError;
pub use frames::{Frames, MAX_BLOCK_FRAMES};
pub use header::{Header, MAX_CHANNELS, ModelId, Payload, SAMPLE_RATES, VERSION};
pub use index::End;
pub use reader::{Part, Reader};
pub use tags::Tags;
pub use writer::{DEFAULT_BLOCK_SECONDS, Writer};

/// Extension of the file's name.
pub const EXTENSION: &str = "vrvq";
