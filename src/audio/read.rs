//! Reading audio block by block.

use super::opus::{OPUS_RATE, OpusPackets};
use std::io::Cursor;
use std::path::Path;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::{MetadataOptions, StandardTag};

/// Formats that are read, as errors name them.
const FORMATS: &str = "neither WAV nor FLAC, MP3, Ogg Vorbis or Ogg Opus";

/// Why audio can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be opened.
    #[error("can't open {name}: {why}")]
    Open { name: String, why: std::io::Error },
    /// It isn't audio, or audio of a kind that isn't read here.
    #[error("can't read {name}: {why}")]
    Unsupported { name: String, why: String },
    /// There isn't a single sample.
    #[error("can't read {name}: it holds no audio")]
    Empty { name: String },
}

/// A name and a value that a file carries beside its audio; names are those of Vorbis comments, e.g. `TITLE`.
pub type Tag = (String, String);

enum Codec {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<OpusPackets>),
}

/// What lies between packets that should meet: parts that are so damaged that not even packets are found in them.
#[derive(Default)]
struct Gaps {
    /// Seconds of a tick of the packets' times.
    tick: Option<f64>,
    /// When the first packet started, in ticks, and when the next one should.
    first: Option<i64>,
    due: i64,
    ticks: u64,
}

/// Seconds from which on a stream that doesn't start at 0 is a part of a longer one, as of a radio station's.
const CUT_OUT: f64 = 60.0;

impl Gaps {
    /// Takes a packet that starts at `start` and is so long. What is before 0 isn't heard.
    fn follow(&mut self, start: i64, duration: u64) {
        if self.first.is_none() && duration == 0 {
            return; // Vorbis' first packet, which sounds only with the next one
        }
        let due = if self.first.is_some() { self.due } else { start.max(0) };
        self.first.get_or_insert(due);
        self.ticks += u64::try_from(start.saturating_sub(due)).unwrap_or(0);
        self.due = start.saturating_add_unsigned(duration).max(due);
    }

    /// Whether what counts from 0 counts more than the file.
    fn is_cut_out(&self) -> bool {
        self.first.zip(self.tick).is_some_and(|(first, tick)| first as f64 * tick > CUT_OUT)
    }

    fn seconds(&self) -> f64 {
        self.tick.map_or(0.0, |tick| tick * self.ticks as f64)
    }
}

/// Audio that is being read.
pub struct AudioReader {
    name: String,
    format: Box<dyn FormatReader>,
    codec: Codec,
    track: u32,
    sample_rate: u32,
    channels: usize,
    frames: Option<u64>,
    tags: Vec<Tag>,
    planes: Vec<Vec<f32>>,
    /// The first block was decoded to learn the rate and waits.
    waiting: bool,
    read_any: bool,
    damaged: u64,
    gaps: Gaps,
    /// The file knows how many samples it holds, rather than guessing.
    counted: bool,
    /// Samples of each channel that were decoded, and that are missing at the end.
    decoded: u64,
    short: u64,
    broken_off: Option<String>,
}

impl AudioReader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`ReadError`] names the file and why it can't be opened or read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let name = path.display().to_string();
        let file = std::fs::File::open(path).map_err(|why| ReadError::Open { name: name.clone(), why })?;
        if file.metadata().is_ok_and(|data| data.is_dir()) {
            let why = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(ReadError::Open { name, why });
        }
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        // A pipe with a name, such as a shell's `<(command)`, can't be sought in.
        if file.metadata().is_ok_and(|data| data.is_file()) {
            Self::new(name, &hint, Box::new(file))
        } else {
            Self::new(name, &hint, Box::new(ReadOnlySource::new(file)))
        }
    }

    /// Reads standard input.
    ///
    /// # Errors
    /// [`ReadError`] where what comes isn't audio.
    pub fn stdin() -> Result<Self, ReadError> {
        Self::new("standard input".into(), &Hint::new(), Box::new(ReadOnlySource::new(std::io::stdin())))
    }

    /// Reads a file that is in memory; `name` is for errors.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(name: &str, bytes: &'static [u8]) -> Result<Self, ReadError> {
        Self::new(name.into(), &Hint::new(), Box::new(Cursor::new(bytes)))
    }

    fn new(name: String, hint: &Hint, source: Box<dyn MediaSource>) -> Result<Self, ReadError> {
        let unsupported = |why: String| ReadError::Unsupported { name: name.clone(), why };
        let stream = MediaSourceStream::new(source, Default::default());
        let mut format = symphonia::default::get_probe()
            .probe(hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|e| unsupported(explain(&e)))?;
        let track = format
            .default_track(TrackType::Audio)
            .or_else(|| format.first_track(TrackType::Audio))
            .ok_or_else(|| unsupported("it has no audio track".into()))?;
        let parameters = track
            .codec_params
            .as_ref()
            .and_then(|parameters| parameters.audio())
            .ok_or_else(|| unsupported("it has no audio track".into()))?;
        let counted = [CODEC_ID_FLAC, CODEC_ID_OPUS, CODEC_ID_VORBIS].contains(&parameters.codec);
        let codec = if parameters.codec == CODEC_ID_OPUS {
            let head = parameters.extra_data.as_deref().unwrap_or_default();
            Codec::Opus(Box::new(OpusPackets::new(head).map_err(unsupported)?))
        } else {
            let decoder = symphonia::default::get_codecs()
                .make_audio_decoder(parameters, &AudioDecoderOptions::default())
                .map_err(|e| unsupported(explain(&e)))?;
            Codec::Symphonia(decoder)
        };
        let (id, delay, time_base) = (track.id, track.delay.unwrap_or(0), track.time_base);
        let mut frames = track.num_frames;
        if matches!(codec, Codec::Opus(_)) {
            frames = frames.map(|frames| frames.saturating_sub(delay.into()));
        }
        let mut reader = Self {
            tags: tags(&mut *format),
            format,
            codec,
            track: id,
            sample_rate: 0,
            channels: 0,
            frames,
            planes: Vec::new(),
            waiting: false,
            read_any: false,
            damaged: 0,
            gaps: Gaps {
                tick: time_base.map(|base| f64::from(base.numer.get()) / f64::from(base.denom.get())),
                ..Gaps::default()
            },
            counted,
            decoded: 0,
            short: 0,
            broken_off: None,
            name,
        };
        // Only the first packet tells for sure.
        reader.waiting = reader.decode()?;
        if !reader.waiting || reader.sample_rate == 0 || reader.channels == 0 {
            return Err(reader.nothing());
        }
        Ok(reader)
    }

    /// The file's name as errors show it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// In Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Samples of each channel, where the file says so; what is read counts, not this.
    pub fn frames(&self) -> Option<u64> {
        self.frames
    }

    /// Title, artist and the like.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// The next samples, `[channels][samples]`, at least one each; `None` at the end. What isn't finite is 0.
    ///
    /// # Errors
    /// [`ReadError::Unsupported`] where the rate or the number of channels changes on the way.
    pub fn read(&mut self) -> Result<Option<&[Vec<f32>]>, ReadError> {
        if !std::mem::take(&mut self.waiting) && !self.decode()? {
            return Ok(None);
        }
        self.read_any = true;
        Ok(Some(&self.planes))
    }

    /// What the user should know: damaged parts, a file that ends too early. Complete after the last block.
    pub fn notes(&self) -> Vec<String> {
        let damaged = (self.damaged > 0).then(|| match self.damaged {
            1 => "1 damaged packet is left out".to_owned(),
            more => format!("{more} damaged packets are left out"),
        });
        let gone = self.gaps.seconds().max(self.short as f64 / f64::from(self.sample_rate.max(1)));
        let gone = (gone > 0.0).then(|| format!("{gone:.3} s are missing where it is damaged"));
        let broken = self.broken_off.as_ref().map(|why| format!("the rest of the file can't be read: {why}"));
        damaged.into_iter().chain(gone).chain(broken).collect()
    }

    fn nothing(&self) -> ReadError {
        let name = self.name.clone();
        match self.notes().pop() {
            Some(why) => ReadError::Unsupported { name, why },
            None => ReadError::Empty { name },
        }
    }

    /// Decodes packets until one gives samples; false at the end.
    fn decode(&mut self) -> Result<bool, ReadError> {
        loop {
            if self.broken_off.is_some() {
                return Ok(false);
            }
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => {
                    let held = self.frames.filter(|_| self.counted && !self.gaps.is_cut_out());
                    self.short = held.map_or(0, |held| held.saturating_sub(self.decoded));
                    return Ok(false);
                }
                Err(e) => {
                    self.broken_off = Some(explain(&e));
                    return Ok(false);
                }
            };
            if packet.track_id != self.track {
                continue;
            }
            self.gaps.follow(packet.pts.get(), packet.dur.get());
            let rate = match &mut self.codec {
                Codec::Opus(opus) => opus.decode(&packet, &mut self.planes).then_some(OPUS_RATE),
                Codec::Symphonia(decoder) => decoder.decode(&packet).ok().map(|audio| {
                    audio.copy_to_vecs_planar(&mut self.planes);
                    audio.spec().rate()
                }),
            };
            let Some(rate) = rate else {
                self.damaged += 1;
                continue;
            };
            if self.planes.first().is_none_or(Vec::is_empty) {
                continue;
            }
            if self.sample_rate == 0 {
                (self.sample_rate, self.channels) = (rate, self.planes.len());
            } else if (self.sample_rate, self.channels) != (rate, self.planes.len()) {
                let why = format!(
                    "it changes on the way from {} channels at {} Hz to {} at {rate} Hz",
                    self.channels,
                    self.sample_rate,
                    self.planes.len()
                );
                return Err(ReadError::Unsupported { name: self.name.clone(), why });
            }
            self.decoded += self.planes[0].len() as u64;
            for sample in self.planes.iter_mut().flatten() {
                *sample = if sample.is_finite() { *sample } else { 0.0 };
            }
            return Ok(true);
        }
    }
}

/// Text of an error for someone who doesn't know the library.
fn explain(error: &SymphoniaError) -> String {
    match error {
        SymphoniaError::Unsupported(_) => format!("it is {FORMATS}"),
        SymphoniaError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => "it ends too early".into(),
        other => other.to_string(),
    }
}

/// The tags that most files have, by the names of Vorbis comments.
fn tags(format: &mut dyn FormatReader) -> Vec<Tag> {
    let mut metadata = format.metadata();
    let Some(revision) = metadata.skip_to_latest() else { return Vec::new() };
    let tracks = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
    let mut found: Vec<Tag> = Vec::new();
    for tag in revision.media.tags.iter().chain(tracks) {
        let Some((name, value)) = tag.std.as_ref().and_then(named) else { continue };
        if !value.is_empty() && !found.iter().any(|(known, _)| known == name) {
            found.push((name.to_owned(), value));
        }
    }
    found
}

fn named(tag: &StandardTag) -> Option<(&'static str, String)> {
    Some(match tag {
        StandardTag::TrackTitle(text) => ("TITLE", text.to_string()),
        StandardTag::Artist(text) => ("ARTIST", text.to_string()),
        StandardTag::Album(text) => ("ALBUM", text.to_string()),
        StandardTag::AlbumArtist(text) => ("ALBUMARTIST", text.to_string()),
        StandardTag::Composer(text) => ("COMPOSER", text.to_string()),
        StandardTag::Genre(text) => ("GENRE", text.to_string()),
        StandardTag::RecordingDate(text) | StandardTag::ReleaseDate(text) => ("DATE", text.to_string()),
        StandardTag::ReleaseYear(year) => ("DATE", year.to_string()),
        StandardTag::TrackNumber(number) => ("TRACKNUMBER", number.to_string()),
        StandardTag::Comment(text) => ("COMMENT", text.to_string()),
        StandardTag::Copyright(text) => ("COPYRIGHT", text.to_string()),
        StandardTag::License(text) => ("LICENSE", text.to_string()),
        StandardTag::IdentIsrc(text) => ("ISRC", text.to_string()),
        _ => return None,
    })
}
