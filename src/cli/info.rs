//! `vrvq info`.

use super::args::InfoArgs;
use super::failure::{Failure, interruption, print};
use super::model::FileModels;
use super::progress::warn;
use crate::audio::STDIO;
use crate::codec::{RateControl, StereoMode, kilobits_per_second};
use crate::coding::model_id;
use crate::container::{Header, Part, Payload, Reader};
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Columns of the bitrate over time in text.
const COLUMNS: usize = 60;
/// Columns of the longest bar of the histogram.
const BAR: usize = 40;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Info {
    file: String,
    bytes: Option<u64>,
    model: ModelInfo,
    sample_rate: u32,
    channels: u8,
    stereo: Option<&'static str>,
    payload: &'static str,
    rate: Option<String>,
    seconds: Option<f64>,
    /// Samples of each channel.
    length: Option<u64>,
    frames: u64,
    /// kb/s of frames as they are written.
    kilobits_per_second: f64,
    /// kb/s of the same frames packed plainly: the paper's cost.
    plain_kilobits_per_second: f64,
    /// Of these, the counts of codebooks alone: as written, and packed plainly.
    count_kilobits_per_second: f64,
    plain_count_kilobits_per_second: f64,
    /// kb/s of each second, as written.
    bitrate_over_time: Vec<f64>,
    /// Frames of all channels that use 1, 2, … codebooks.
    count_histogram: Vec<u64>,
    mean_count: f64,
    missing_frames: u64,
    damage: Vec<String>,
    tags: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ModelInfo {
    name: String,
    sha256: String,
    sample_rate: u32,
    hop: u32,
    codebooks: usize,
    codebook_size: usize,
    /// Whether this program has the model.
    at_hand: bool,
}

/// Runs the command.
///
/// # Errors
/// What isn't a `.vrvq` file; a file with damage is told about and counts as failed.
pub fn run(args: &InfoArgs) -> Result<(), Failure> {
    let models = args.model.open_for_files()?;
    let (mut failed, mut saving) = (false, Saving::default());
    for path in &args.files {
        let info = match open(path, &models) {
            Ok(info) => info,
            Err(failure @ (Failure::Interrupted | Failure::BrokenPipe)) => return Err(failure),
            Err(failure) => {
                if let Some(text) = failure.text() {
                    warn(&text);
                }
                failed = true;
                continue;
            }
        };
        failed |= !info.damage.is_empty();
        saving.add(&info);
        if args.json {
            print(&serde_json::to_string_pretty(&info).map_err(|error| Failure::about(path.display(), error))?)?;
        } else {
            print(info.text().trim_end())?;
        }
    }
    if !args.json && saving.files > 1 {
        print(&saving.text())?;
    }
    if failed { Err(Failure::Reported) } else { Ok(()) }
}

fn open(path: &Path, models: &FileModels) -> Result<Info, Failure> {
    let failed = |error| Failure::about(path.display(), error);
    if path.as_os_str() == STDIO {
        return gather("standard input", None, Reader::new(std::io::stdin().lock()).map_err(failed)?, models);
    }
    let unreadable = |error| Failure::Failed(format!("can't open {}: {error}", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    let data = file.metadata().map_err(unreadable)?;
    let (name, input) = (path.display().to_string(), BufReader::new(file));
    if data.is_file() {
        gather(&name, Some(data.len()), Reader::open(input).map_err(failed)?, models)
    } else {
        gather(&name, None, Reader::new(input).map_err(failed)?, models)
    }
}

fn gather<R: Read>(
    name: &str,
    bytes: Option<u64>,
    mut reader: Reader<R>,
    models: &FileModels,
) -> Result<Info, Failure> {
    let failed = |error| Failure::about(name, error);
    let header = reader.header().clone();
    // Without it the file still tells most about itself.
    let model = models.of(&header.model).ok().filter(|model| model_id(model).hash == header.model.hash);
    if let Some(model) = &model {
        reader.set_tables(model.tables()).map_err(failed)?;
    }
    let frame_rate = header.frame_rate();
    let mut histogram = vec![0u64; header.format.codebooks()];
    let (mut bits, mut plain, mut frames, mut missing) = (0u64, 0u64, 0u64, 0u64);
    let (mut count_bits, mut plain_count_bits) = (0.0, 0u64);
    let (mut seconds, mut damage): (Vec<f64>, Vec<String>) = (Vec::new(), Vec::new());
    while let Some(part) = reader.next().map_err(failed)? {
        interruption()?;
        match part {
            Part::Frames(block) => {
                bits += block.bits();
                plain += block.plain_bits(header.format);
                frames += block.len() as u64;
                let (coded, packed) = block.count_bits(header.format);
                count_bits += if header.payload == Payload::Entropy { coded } else { packed as f64 };
                plain_count_bits += packed;
                // A block's bits belong to its frames as their plain cost parts them.
                let scale = block.bits() as f64 / block.plain_bits(header.format).max(1) as f64;
                let constant = block.constant_count().is_some();
                for frame in 0..block.len() {
                    let second = ((block.first() + frame as u64) as f64 / frame_rate) as usize;
                    seconds.resize(seconds.len().max(second + 1), 0.0);
                    for &count in block.counts(frame) {
                        let row = usize::from(count).clamp(1, histogram.len()) - 1;
                        histogram[row] += 1;
                        let count_bits = if constant { header.format.count_bits() } else { 0 };
                        let cost = header.format.frame_bits(count.into()) - count_bits;
                        seconds[second] += cost as f64 * scale / 1000.0;
                    }
                }
            }
            Part::Gap { frames, .. } => missing += frames,
            Part::Damage(found) => {
                missing += found.frames;
                damage.push(found.to_string());
            }
        }
    }
    let length = reader.end().map(|end| end.length).or(header.length);
    // The last second isn't a whole one.
    if let (Some(last), Some(length)) = (seconds.last_mut(), length) {
        let rest = (length as f64 / f64::from(header.sample_rate)).fract();
        *last /= if rest > 0.0 { rest.max(1.0 / frame_rate) } else { 1.0 };
    }
    let all: u64 = histogram.iter().sum();
    let counts = histogram.iter().enumerate().map(|(index, &frames)| (index as u64 + 1) * frames).sum::<u64>();
    Ok(Info {
        file: name.to_owned(),
        bytes,
        model: model_info(&header, model.is_some()),
        sample_rate: header.sample_rate,
        channels: header.channels,
        stereo: (header.channels == 2).then_some(match header.stereo {
            StereoMode::LeftRight => "left-right",
            StereoMode::MidSide => "mid-side",
            StereoMode::Mono => "mono",
        }),
        payload: match header.payload {
            Payload::Plain => "plain",
            Payload::Entropy => "entropy-coded",
        },
        rate: header.rate.map(|rate: RateControl| rate.to_string()),
        seconds: length.map(|length| length as f64 / f64::from(header.sample_rate)),
        length,
        frames,
        kilobits_per_second: kilobits_per_second(bits, frames, frame_rate),
        plain_kilobits_per_second: kilobits_per_second(plain, frames, frame_rate),
        count_kilobits_per_second: kilobits_per_second(count_bits.round() as u64, frames, frame_rate),
        plain_count_kilobits_per_second: kilobits_per_second(plain_count_bits, frames, frame_rate),
        bitrate_over_time: seconds,
        mean_count: counts as f64 / all.max(1) as f64,
        count_histogram: histogram,
        missing_frames: missing,
        damage,
        tags: reader.tags().iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    })
}

fn model_info(header: &Header, at_hand: bool) -> ModelInfo {
    ModelInfo {
        name: header.model.name.clone(),
        sha256: header.model.hash_text(),
        sample_rate: header.model_rate,
        hop: header.hop,
        codebooks: header.format.codebooks(),
        codebook_size: header.format.codebook_size(),
        at_hand,
    }
}

/// What the entropy coder saves over several files, each weighed by its length.
#[derive(Default)]
struct Saving {
    files: u64,
    frames: f64,
    /// Sums of frames times kb/s: all and the counts alone, as written and packed plainly.
    sums: [f64; 4],
}

impl Saving {
    fn add(&mut self, info: &Info) {
        let frames = info.frames as f64;
        self.files += 1;
        self.frames += frames;
        let (counts, plain_counts) = (info.count_kilobits_per_second, info.plain_count_kilobits_per_second);
        let rates = [info.kilobits_per_second, info.plain_kilobits_per_second, counts, plain_counts];
        self.sums.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += frames * rate);
    }

    fn text(&self) -> String {
        let [coded, plain, counts, plain_counts] = self.sums.map(|sum| sum / self.frames.max(1.0));
        let less = |coded: f64, plain: f64| if plain > 0.0 { 100.0 * (1.0 - coded / plain) } else { 0.0 };
        format!(
            "{} files\n  bitrate     {coded:.2} kb/s, {:.1} % less than {plain:.2} as plain packets\n  counts      \
             {counts:.3} kb/s of it, {:.1} % less than {plain_counts:.3}",
            self.files,
            less(coded, plain),
            less(counts, plain_counts)
        )
    }
}

impl Info {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.file);
        let mut line = |name: &str, value: String| text += &format!("  {name:<11} {value}\n");
        let ModelInfo { name, sha256, sample_rate, codebooks, codebook_size, at_hand, .. } = &self.model;
        let other = if *at_hand { "" } else { "; not the model that was asked for, nor among the imported ones" };
        line("model", format!("{name} ({sample_rate} Hz, {codebooks} codebooks of {codebook_size}{other})"));
        line("", format!("SHA-256 {sha256}"));
        let stereo = self.stereo.map_or(String::new(), |stereo| format!(" as {stereo}"));
        line("audio", format!("{} Hz, {} channel(s){stereo}", self.sample_rate, self.channels));
        if let (Some(seconds), Some(length)) = (self.seconds, self.length) {
            line("length", format!("{} ({length} samples), {} frames", clock(seconds), self.frames));
        } else {
            line("length", format!("{} frames; the file has no end", self.frames));
        }
        line("rate", format!("{}, {}", self.rate.as_deref().unwrap_or("changes on the way"), self.payload));
        let container = match (self.bytes, self.seconds) {
            (Some(bytes), Some(seconds)) if seconds > 0.0 => {
                format!(", {:.2} kb/s with the container ({bytes} bytes)", bytes as f64 * 0.008 / seconds)
            }
            _ => String::new(),
        };
        let (coded, plain) = (self.kilobits_per_second, self.plain_kilobits_per_second);
        let saved = if coded < plain { format!(" ({plain:.2} as plain packets)") } else { String::new() };
        line("bitrate", format!("{coded:.2} kb/s{saved}{container}"));
        let (counts, plain) = (self.count_kilobits_per_second, self.plain_count_kilobits_per_second);
        if plain > 0.0 {
            let saved = if counts < plain { format!(" ({plain:.3} as plain packets)") } else { String::new() };
            line("counts", format!("{counts:.3} kb/s of it{saved}"));
        }
        if self.missing_frames > 0 {
            line("missing", format!("{} frames", self.missing_frames));
        }
        for damage in &self.damage {
            line("damage", damage.clone());
        }
        for (key, value) in &self.tags {
            line("tag", format!("{key}={value}"));
        }
        if let Some((curve, highest)) = self.curve() {
            line("over time", format!("{curve} 0 to {highest:.2} kb/s"));
        }
        let all = self.count_histogram.iter().sum::<u64>().max(1);
        let most = self.count_histogram.iter().copied().max().unwrap_or(0).max(1);
        for (index, &frames) in self.count_histogram.iter().enumerate() {
            let bar = "█".repeat((frames as f64 / most as f64 * BAR as f64).round() as usize);
            let name = if index == 0 { "codebooks" } else { "" };
            let share = frames as f64 / all as f64 * 100.0;
            line(name, format!("{:>2} {share:5.1} % {bar}", index + 1).trim_end().to_owned());
        }
        line("", format!("mean {:.2}", self.mean_count));
        text
    }

    /// Bitrate over time as a row of blocks, and what the highest stands for.
    fn curve(&self) -> Option<(String, f64)> {
        let seconds = &self.bitrate_over_time;
        let columns = seconds.len().min(COLUMNS);
        if columns == 0 {
            return None;
        }
        let means: Vec<f64> = (0..columns)
            .map(|column| {
                let part = &seconds[column * seconds.len() / columns..(column + 1) * seconds.len() / columns];
                part.iter().sum::<f64>() / part.len() as f64
            })
            .collect();
        let highest = means.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let block = |mean: &f64| BLOCKS[((mean / highest * 8.0).ceil() as usize).clamp(1, 8) - 1];
        Some((means.iter().map(block).collect(), highest))
    }
}

/// Hours, minutes and seconds.
fn clock(seconds: f64) -> String {
    let whole = seconds as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, seconds - (whole / 60 * 60) as f64);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:05.2}") } else { format!("{minutes}:{rest:05.2}") }
}
