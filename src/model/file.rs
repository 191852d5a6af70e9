//! Reading a model file.

use super::library::shared;
use super::part::Part;
use super::{Curves, ModelCard, ModelError, graph};
use crate::codec::{Codebooks, MAX_BEAM, PacketFormat, Tables};
use half::f16;
use sha2::{Digest, Sha256};
use std::io::{Cursor, Read, Seek};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The model inside the program.
static BUILTIN: &[u8] = include_bytes!("../../assets/live.vrvqmodel");
/// Its curves, made by `python -m vrvq_training curves` (training/).
static BUILTIN_CURVES: &[u8] = include_bytes!("../../assets/live.curves.json");

/// Largest card accepted, in bytes.
pub(super) const MAX_CARD: u64 = 1 << 20;
/// Largest code tables accepted, in bytes.
const MAX_TABLES: u64 = 1 << 26;
/// Largest graph accepted, in bytes: the limit of ONNX's own format.
const MAX_GRAPH: u64 = 1 << 31;

/// A model: its card, its two graphs, its codebooks where they are searched outside the graph, and what runs them.
pub struct Model {
    card: ModelCard,
    format: PacketFormat,
    hash: [u8; 32],
    tables: Option<Arc<Tables>>,
    fingerprint: String,
    curves: Option<Arc<Curves>>,
    pub(super) codebooks: Option<Arc<Codebooks>>,
    /// Both graphs show the spectrum.
    shows_spectrum: bool,
    pub(super) encoder: Part,
    pub(super) decoder: Part,
    /// Of the decoder, read when they are asked for; `None` where it has none that are known.
    last_steps: OnceLock<Option<Arc<graph::LastSteps>>>,
}

/// The codebooks of an archive: half-precision floats, little-endian, `[codebooks, codebook_size, dims]`.
fn read_codebooks<R: Read + Seek>(
    archive: &mut zip::ZipArchive<R>,
    card: &ModelCard,
) -> Result<Option<Codebooks>, ModelError> {
    const ENTRY: &str = "codebooks.f16";
    let Some(search) = card.search else { return Ok(None) };
    let expected = card.codebooks as u64 * card.codebook_size as u64 * search.dims as u64 * 2;
    let bytes = read_entry(archive, ENTRY, expected)?;
    let entries = bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32()).collect();
    let books = Codebooks::new(entries, card.codebooks, card.codebook_size, search.dims, search.beam);
    books.map(Some).ok_or_else(|| ModelError::Entry {
        entry: ENTRY,
        reason: format!("{} bytes are not {expected} bytes of finite half-precision floats", bytes.len()),
    })
}

/// The tables of an archive that has some.
fn read_tables<R: Read + Seek>(
    archive: &mut zip::ZipArchive<R>,
    card: &ModelCard,
) -> Result<Option<Arc<Tables>>, ModelError> {
    const ENTRY: &str = "tables.bin";
    if archive.index_for_name(ENTRY).is_none() {
        return Ok(None);
    }
    let tables = Tables::from_bytes(&read_entry(archive, ENTRY, MAX_TABLES)?);
    let format = card.packet_format()?;
    match tables.filter(|tables| tables.fit(format)) {
        Some(tables) => Ok(Some(Arc::new(tables))),
        None => Err(ModelError::Entry { entry: ENTRY, reason: "these are no code tables of this model".into() }),
    }
}

/// The whole of one entry, but no more than `limit` bytes of it, whatever the archive claims.
pub(super) fn read_entry<R: Read + Seek>(
    archive: &mut zip::ZipArchive<R>,
    entry: &'static str,
    limit: u64,
) -> Result<Vec<u8>, ModelError> {
    let wrong = |reason: String| ModelError::Entry { entry, reason };
    let file = archive.by_name(entry).map_err(|e| wrong(e.to_string()))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| wrong(e.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(wrong(format!("is larger than {limit} bytes")));
    }
    Ok(bytes)
}

impl Model {
    /// The model inside the program, read once.
    ///
    /// # Errors
    /// Those of [`Model::from_bytes`], if the program was built with a damaged model.
    pub fn builtin() -> Result<Arc<Self>, ModelError> {
        static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
        if let Some(model) = MODEL.get() {
            return Ok(model.clone());
        }
        let mut model = Self::from_bytes(BUILTIN)?;
        if model.curves.is_none() {
            model.curves = Curves::of(&model.fingerprint, BUILTIN_CURVES).map(Arc::new);
        }
        let model = shared(model);
        Ok(MODEL.get_or_init(|| model).clone())
    }

    /// Opens a model file; one that is open already in this process is the same one.
    ///
    /// # Errors
    /// [`ModelError::Read`] where it can't be read, [`ModelError::File`] with those of [`Model::from_bytes`].
    pub fn open(path: &Path) -> Result<Arc<Self>, ModelError> {
        let bytes = std::fs::read(path).map_err(|source| ModelError::Read { path: path.into(), source })?;
        let named = |source| ModelError::File { path: path.into(), source: Box::new(source) };
        Ok(shared(Self::from_bytes(&bytes).map_err(named)?))
    }

    /// Reads a model archive.
    ///
    /// # Errors
    /// [`ModelError`] naming the entry or the field that is wrong. The graphs are checked when a stream is made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
        let card = ModelCard::parse(&read_entry(&mut archive, "card.json", MAX_CARD)?)?;
        let sums = ["encoder.onnx", "decoder.onnx"]
            .map(|entry| archive.by_name(entry).map_or_else(|_| String::new(), |file| format!("{:08x}", file.crc32())));
        let fingerprint = sums.join("-");
        // Optional, like all that only explains: damaged ones are none.
        let curves = read_entry(&mut archive, "curves.json", MAX_CARD).ok();
        let codebooks = read_codebooks(&mut archive, &card)?.map(Arc::new);
        let (mut encoder, mut decoder) = (
            read_entry(&mut archive, "encoder.onnx", MAX_GRAPH)?,
            read_entry(&mut archive, "decoder.onnx", MAX_GRAPH)?,
        );
        // Where the search is the program's own it can choose by what the decoder makes of its candidates.
        let shown = codebooks
            .as_ref()
            .and_then(|_| Some((graph::show_spectrum(&encoder, card.hop)?, graph::show_spectrum(&decoder, card.hop)?)));
        let shows_spectrum = shown.is_some();
        if let Some(shown) = shown {
            (encoder, decoder) = shown;
        }
        Ok(Self {
            curves: curves.and_then(|json| Curves::of(&fingerprint, &json)).map(Arc::new),
            fingerprint,
            format: card.packet_format()?,
            hash: Sha256::digest(bytes).into(),
            tables: read_tables(&mut archive, &card)?,
            codebooks,
            shows_spectrum,
            encoder: Part::new(encoder),
            decoder: Part::new(decoder),
            last_steps: OnceLock::new(),
            card,
        })
    }

    /// What the model states about itself.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// SHA-256 of the model file: what a `.vrvq` file names it by.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Tables for entropy coding, where the file has some.
    pub fn tables(&self) -> Option<Arc<Tables>> {
        self.tables.clone()
    }

    /// What tells it from other models: the checksums of its graphs.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Its rate-distortion curves: those in the entry `curves.json` of its file, or measured for the built-in model.
    pub fn curves(&self) -> Option<Arc<Curves>> {
        self.curves.clone()
    }

    /// Most candidates for a frame's codes that can be told apart by what the decoder makes of them
    /// ([`Synthesis`](super::Synthesis)): 1 for a model that can't, because its graph chooses the codes itself or shows no
    /// spectrum.
    pub fn most_candidates(&self) -> usize {
        if self.shows_spectrum { MAX_BEAM } else { 1 }
    }

    /// Whether the search for codes can be refined by how the decoder's spectrum changes with its latent
    /// ([`Effort::rounds`](crate::codec::Effort::rounds)).
    pub fn can_refine(&self) -> bool {
        self.last_steps().is_some()
    }

    /// How the decoder ends, where it is known and codes can be chosen by it.
    pub(super) fn last_steps(&self) -> Option<&Arc<graph::LastSteps>> {
        let read = || {
            let books = self.codebooks.as_ref().filter(|_| self.shows_spectrum)?;
            graph::LastSteps::of(self.decoder.bytes(), books.dims(), self.card.hop).map(Arc::new)
        };
        self.last_steps.get_or_init(read).as_ref()
    }

    /// How its frames are packed.
    pub fn packet_format(&self) -> PacketFormat {
        self.format
    }
}
