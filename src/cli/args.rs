//! The command line: what can be asked for. Completions and manual pages are made from here.

use crate::codec::{LEVEL_MAX, LEVEL_MIN};
use crate::standalone::RunArgs;
use clap::{Args, Parser, Subcommand};
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
    #[command(flatten)]
    pub run: RunArgs,
}

/// What to do instead of running the loop.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// List the sound devices with their sample rates and buffer sizes.
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

/// The model and where it runs.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// Model file to use instead of the bundled one.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// What the model runs on: "cpu".
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
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
    #[arg(short, long, value_name = "L", value_delimiter = ',', value_parser = level,
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
    #[arg(short, long, value_name = "L", value_delimiter = ',', value_parser = level,
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
    #[arg(short, long, value_name = "L", value_delimiter = ',', value_parser = level,
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

fn level(text: &str) -> Result<f32, String> {
    let level: f32 = text.parse().map_err(|_| "not a number".to_string())?;
    if (LEVEL_MIN..=LEVEL_MAX).contains(&level) {
        Ok(level)
    } else {
        Err(format!("the level runs from {LEVEL_MIN} to {LEVEL_MAX}"))
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
