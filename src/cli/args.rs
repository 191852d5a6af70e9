//! The command line: what can be asked for. Completions and manual pages are made from here.

use super::failure::Failure;
use crate::audio::{AudioFormat, SampleType};
use crate::codec::{Effort, MAX_BEAM, RateControl, parse_level};
use crate::model::{DeviceChoice, Model, ModelCard};
#[cfg(feature = "app")]
use crate::standalone::{HostChoice, RunArgs};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Exit codes, as the help tells them.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 something failed, as standard error says; 2 the arguments make no sense; 130 interrupted; \
     141 nobody reads standard output any more.";

/// Hear, see and use a variable-bitrate neural audio codec.
///
/// Without a command the window opens: the microphone, or a file, goes through the codec and is heard. Where there
/// is no display or no sound device, the bundled clip goes through the same loop and is written to a folder.
#[derive(Debug, Clone, Parser)]
#[command(name = "vrvq", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[cfg(feature = "app")]
    #[command(flatten)]
    pub run: RunArgs,
}

/// What to do instead of running the loop.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Encode audio files, folders of them, or a pipe to .vrvq.
    Encode(EncodeArgs),
    /// Decode .vrvq files, folders of them, or a pipe to WAV or FLAC.
    Decode(DecodeArgs),
    /// Tell what is in a .vrvq file: its model, its bitrate over time, how many codebooks its frames use, its tags.
    Info(InfoArgs),
    /// Play audio and .vrvq files through a sound device, one after the other.
    #[cfg(feature = "app")]
    Play(PlayArgs),
    /// Make a model of a published VRVQ or DAC checkpoint (PyTorch or safetensors), to be used by --model.
    Import(ImportArgs),
    /// Tell what a shorter delay of a checkpoint's model costs: a table for "vrvq import --delay".
    Delays(DelaysArgs),
    /// List the devices that models can run on, and the sound devices with their sample rates and buffer sizes.
    Devices,
    /// Measure how fast this machine encodes and decodes.
    Bench(BenchArgs),
    /// Draw figures for print from any audio, as PNG or SVG.
    #[command(subcommand)]
    Figure(FigureCommand),
    /// Compare with other codecs found on this machine, at the same measured bitrates.
    Compare(CompareArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write manual pages.
    Man {
        /// Folder that they are written to.
        folder: PathBuf,
    },
}

/// Arguments of `play`.
#[cfg(feature = "app")]
#[derive(Debug, Clone, Args)]
pub struct PlayArgs {
    /// Audio files, or .vrvq files, which are decoded with the model that they name.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Sound system: "system" (also "alsa") or "jack".
    #[arg(long, value_name = "SYSTEM", value_enum)]
    pub host: Option<HostChoice>,
    /// Output device, by its name, a part of it, or its id (see "vrvq devices").
    #[arg(long, value_name = "NAME")]
    pub output_device: Option<String>,
    #[command(flatten)]
    pub model: ModelArgs,
    /// No meter.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// Checkpoint: .pth of VRVQ or DAC, or .safetensors with the same names.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Name of the model [default: the file's].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Sample rate in Hz, where the checkpoint doesn't tell it.
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8_000..=192_000))]
    pub sample_rate: Option<u32>,
    /// Most delay in hops, for less right context than the model was trained with: the output then isn't the exact one
    /// any more; "vrvq delays" tells what that costs.
    #[arg(long, value_name = "HOPS")]
    pub delay: Option<u32>,
}

/// Arguments of `delays`.
#[derive(Debug, Clone, Args)]
pub struct DelaysArgs {
    /// Checkpoint: .pth of VRVQ or DAC, or .safetensors with the same names.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Audio that is coded [default: the bundled clip].
    pub audio: Option<PathBuf>,
    /// Sample rate in Hz, where the checkpoint doesn't tell it.
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8_000..=192_000))]
    pub sample_rate: Option<u32>,
    /// Longest piece that is coded, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    pub duration: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The model and where it runs.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// Model to use instead of the bundled one: a model file, or the name of an imported model.
    #[arg(long, value_name = "FILE|NAME")]
    pub model: Option<String>,
    /// What the model runs on: "auto" (one core for small models; for others a GPU, or else all cores but one), "cpu", "cpu:N"
    /// (N threads), or "cuda:N".
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
}

/// Several files at a time.
#[derive(Debug, Clone, Args)]
pub struct BatchArgs {
    /// Files that are worked on at a time [default: as many as there are processor cores].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Replace outputs that exist, even those that are finished already.
    #[arg(short, long)]
    pub force: bool,
    /// No progress and no summary, only warnings and errors.
    #[arg(short, long)]
    pub quiet: bool,
}

/// How two channels are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StereoChoice {
    /// As left and right.
    #[default]
    #[value(name = "left-right", alias = "lr")]
    LeftRight,
    /// As mid and side: a narrow mix then costs little more than mono.
    #[value(name = "mid-side", alias = "ms")]
    MidSide,
    /// As their sum alone, heard on both sides.
    #[value(name = "mono")]
    Mono,
}

/// Arguments of `encode`.
#[derive(Debug, Clone, Args)]
pub struct EncodeArgs {
    /// Audio files (WAV, FLAC, MP3, Ogg Vorbis, Ogg Opus), folders of them, or "-" for standard input.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Output file, folder, or "-" for standard output [default: beside each input].
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub rate: RateArgs,
    /// Pack codes as they are, without the entropy coder: the paper's cost, more bits for the same sound.
    #[arg(long, conflicts_with = "entropy")]
    pub plain: bool,
    /// Entropy-code counts and codes, without loss (the default).
    #[arg(long)]
    pub entropy: bool,
    /// How two channels are coded.
    #[arg(long, value_name = "MODE", value_enum, default_value_t)]
    pub stereo: StereoChoice,
    #[command(flatten)]
    pub search: SearchArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub batch: BatchArgs,
}

/// Which codes.
#[derive(Debug, Clone, Copy, Args)]
pub struct SearchArgs {
    /// What codes are chosen by, each slower and nearer for the same bits than the one before: "latent", its error alone;
    /// "sound", what the decoder makes of the best by that; "refined", the same of what is searched anew, near what the frame's
    /// latent should be after the frames before [default: sound, for models that can].
    #[arg(long, value_name = "BY")]
    pub search: Option<SearchChoice>,
    /// How many of the best the sound decides between: more are slower and a little nearer, 2 to 64 [default: 8; refined: 16].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=MAX_BEAM as i64))]
    pub candidates: Option<u8>,
}

/// What codes are chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SearchChoice {
    Latent,
    Sound,
    Refined,
}

/// How many bits.
#[derive(Debug, Clone, Copy, Args)]
pub struct RateArgs {
    /// Variable bitrate at this level l, 1 to 48: the higher, the more bits [default: the model's].
    #[arg(short, long, value_name = "L", value_parser = parse_level)]
    pub level: Option<f32>,
    /// Constant bitrate: this many codebooks in every frame, whatever its importance.
    #[arg(short, long, value_name = "N", conflicts_with = "level", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub codebooks: Option<u8>,
    /// Average bitrate in kb/s, all channels together: the level that a file needs for it.
    #[arg(short, long, value_name = "KBPS", conflicts_with_all = ["level", "codebooks"], value_parser = kilobits)]
    pub kbps: Option<f64>,
}

/// Arguments of `decode`.
#[derive(Debug, Clone, Args)]
pub struct DecodeArgs {
    /// .vrvq files, folders of them, or "-" for standard input.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Output file (.wav or .flac), folder, or "-" for standard output [default: beside each input].
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Format, where the output's name doesn't tell: "wav" or "flac" [default: wav].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<AudioFormat>,
    /// Bits of a sample: 16, 24, or 32 for floating point (WAV only).
    #[arg(long, value_name = "BITS", default_value = "16", value_parser = bits)]
    pub bits: SampleType,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub batch: BatchArgs,
}

/// Arguments of `info`.
#[derive(Debug, Clone, Args)]
pub struct InfoArgs {
    /// .vrvq files, or "-" for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print JSON, one object a file.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub model: ModelArgs,
}

/// Arguments of `bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// Seconds of audio that are coded for each figure.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    pub seconds: f64,
    /// Numbers of workers to measure.
    #[arg(short, long, value_name = "N", value_delimiter = ',', default_value = "1,2",
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Vec<u16>,
    /// Measure single hops too, as a live stream runs them, and how many streams run at once.
    #[arg(long)]
    pub live: bool,
    /// Hops in a call, with --live.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,2,4",
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub hops: Vec<u16>,
    /// Calls that are timed, with --live.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub runs: u32,
    /// Seconds for which streams must keep up, with --live; 0: streams aren't counted.
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0, value_parser = seconds)]
    pub stream_seconds: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub model: ModelArgs,
}

/// Figures.
#[derive(Debug, Clone, Subcommand)]
pub enum FigureCommand {
    /// Codebooks used by each frame at levels 4 to 26, below the spectrogram.
    Usage(UsageArgs),
    /// Rate-distortion curves of variable and constant bitrate over files or folders.
    Rd(RdArgs),
}

/// Arguments of `figure usage`.
#[derive(Debug, Clone, Args)]
pub struct UsageArgs {
    /// Audio file.
    pub file: PathBuf,
    /// Figure to write, .png or .svg.
    #[arg(short, long, value_name = "PATH")]
    pub output: PathBuf,
    /// Levels of the rows.
    #[arg(short, long, value_name = "L", value_delimiter = ',', value_parser = parse_level,
          default_values_t = crate::figure::usage::LEVELS)]
    pub levels: Vec<f32>,
    /// Start at this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = seconds)]
    pub start: f64,
    /// Length of the piece that is shown, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    pub duration: f64,
    #[command(flatten)]
    pub model: ModelArgs,
}

/// Arguments of `figure rd`.
#[derive(Debug, Clone, Args)]
pub struct RdArgs {
    /// Audio files and folders of them.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Figure to write, .png or .svg.
    #[arg(short, long, value_name = "PATH")]
    pub output: PathBuf,
    /// Levels of the variable bitrate: those published, and 2 for the lowest bitrate.
    #[arg(short, long, value_name = "L", value_delimiter = ',', value_parser = parse_level,
          default_values_t = [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 24.0, 32.0])]
    pub levels: Vec<f32>,
    #[command(flatten)]
    pub measure: MeasureArgs,
    #[command(flatten)]
    pub model: ModelArgs,
}

/// What is measured of each file, and how it is told.
#[derive(Debug, Clone, Args)]
pub struct MeasureArgs {
    #[command(flatten)]
    pub search: SearchArgs,
    /// Longest piece of each file that is measured, in seconds, from its start.
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = seconds)]
    pub duration: f64,
    /// Files that are worked on at a time [default: as many as there are processor cores].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Print JSON instead of the table.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV instead of the table.
    #[arg(long)]
    pub csv: bool,
    /// No progress, only warnings and errors.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// Audio files and folders of them.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Figure to write, .png or .svg.
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Levels of our model.
    #[arg(short, long, value_name = "L", value_delimiter = ',', value_parser = parse_level,
          default_values_t = [4.0, 8.0, 16.0, 32.0])]
    pub levels: Vec<f32>,
    /// Codecs to compare with [default: all that are found].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub codecs: Vec<String>,
    /// Bitrates in kb/s at which the other codecs are measured as well, beside those of our model.
    #[arg(long, value_name = "KBPS", value_delimiter = ',', value_parser = kilobits)]
    pub kbps: Vec<f64>,
    /// Leave out the measures that need Python (PESQ, ESTOI, ViSQOL), even where it has them.
    #[arg(long)]
    pub no_python: bool,
    #[command(flatten)]
    pub measure: MeasureArgs,
    #[command(flatten)]
    pub model: ModelArgs,
}

impl SearchArgs {
    /// What decides, for `model`.
    ///
    /// # Errors
    /// Where what is asked for doesn't fit together, or the model can't.
    pub fn effort(self, model: &Model) -> Result<Effort, Failure> {
        let wanted = match (self.search, self.candidates) {
            (Some(SearchChoice::Latent), Some(_)) => {
                let reason = "--candidates are for --search sound and refined: by the latent the first is taken";
                return Err(Failure::Usage(reason.into()));
            }
            (Some(SearchChoice::Latent), None) => Effort::LATENT,
            (Some(SearchChoice::Refined), _) => Effort::REFINED,
            (Some(SearchChoice::Sound) | None, _) => Effort::SOUND,
        };
        let asked = self.candidates.is_some() || self.search.is_some_and(|search| search != SearchChoice::Latent);
        if asked && model.most_candidates() == 1 {
            return Err(Failure::Failed(format!(
                "the model {} can't choose codes by their sound: its encoder searches them, or it shows no spectrum",
                model.card().name
            )));
        }
        if wanted.rounds > 0 && !model.can_refine() {
            return Err(Failure::Failed(format!(
                "the search can't be refined for the model {}: its decoder ends in another way than those that are known",
                model.card().name
            )));
        }
        let candidates = self.candidates.map_or(wanted.candidates, usize::from);
        Ok(Effort { candidates, ..wanted }.within(model.most_candidates()))
    }
}

impl RateArgs {
    /// Level or codebooks that are asked for, or the model's level; none where a bitrate is asked for.
    pub fn control(self, card: &ModelCard) -> Option<RateControl> {
        match (self.codebooks, self.kbps) {
            (Some(number), _) => Some(RateControl::Codebooks(number.min(card.codebooks as u8))),
            (None, Some(_)) => None,
            (None, None) => Some(self.level.map_or_else(|| card.default_rate(), RateControl::Level)),
        }
    }
}

fn kilobits(text: &str) -> Result<f64, String> {
    let kilobits: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    if (0.01..=10_000.0).contains(&kilobits) { Ok(kilobits) } else { Err("not a bitrate in kb/s".to_string()) }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    if (0.0..=1e6).contains(&seconds) { Ok(seconds) } else { Err("not a length of time".to_string()) }
}

fn bits(text: &str) -> Result<SampleType, String> {
    match text {
        "16" => Ok(SampleType::Int16),
        "24" => Ok(SampleType::Int24),
        "32" => Ok(SampleType::Float32),
        _ => Err("16, 24 or 32".to_string()),
    }
}
