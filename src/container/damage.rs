//! What is wrong in a file, by name.

/// A stretch of a file that couldn't be read as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    pub kind: DamageKind,
    /// First frame that is lost.
    pub first: u64,
    /// Frames that are lost; 0 where all frames are there, or where it can't be known how many aren't.
    pub frames: u64,
    /// Where in the file.
    pub offset: u64,
    /// How many bytes of it.
    pub bytes: u64,
}

/// What kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// Bytes that are no sound block.
    Bytes,
    /// Frames are missing, but no byte is wrong: blocks were left out.
    Missing,
    /// Frames that were there before: passed over.
    Repeated,
    /// The file ends before its end block: cut off, or never finished. Its length is then what its frames make.
    Cut,
    /// Something follows the end block: ignored.
    AfterEnd,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, first, frames, offset, bytes } = *self;
        let lost = |f: &mut std::fmt::Formatter<'_>| match frames {
            0 => write!(f, "no frame is known to be lost"),
            1 => write!(f, "frame {first} is lost"),
            _ => write!(f, "frames {first} to {} are lost", first + frames - 1),
        };
        match kind {
            DamageKind::Bytes => {
                write!(f, "{bytes} bytes from byte {offset} on are damaged: ")?;
                lost(f)
            }
            DamageKind::Missing => {
                write!(f, "before byte {offset} something is missing: ")?;
                lost(f)
            }
            DamageKind::Repeated => {
                write!(
                    f,
                    "{bytes} bytes from byte {offset} on repeat frames that were there before; they are passed over"
                )
            }
            DamageKind::Cut => {
                write!(f, "the file ends at byte {offset} without its end block: it was cut off or not finished")
            }
            DamageKind::AfterEnd => write!(f, "something follows the end of the file at byte {offset}; it is ignored"),
        }
    }
}
