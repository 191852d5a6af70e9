//! How to run the loop.

use crate::codec::{BURST_MAX, CodeSearch, LOSS_MAX, Loss, RateMode, SEED_MAX, TARGET_MAX, TARGET_MIN, parse_level};
use crate::engine::{MAX_SAFETY_HOPS, Setting, StereoMode};
use crate::model::{DeviceChoice, ModelCard};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A sound system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum HostChoice {
    /// The system's own: ALSA, CoreAudio or WASAPI.
    #[value(alias = "alsa", alias = "coreaudio", alias = "wasapi")]
    System,
    /// A running JACK (or PipeWire) server.
    Jack,
}

/// How to run the loop.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// Audio or .vrvq file to play, looped, instead of the microphone.
    #[arg(value_name = "FILE")]
    pub open: Option<PathBuf>,
    /// Sound system: "system" (also "alsa") or "jack".
    #[arg(long, value_name = "SYSTEM", value_enum)]
    pub host: Option<HostChoice>,
    /// Input device, by its name, a part of it, or its id (see "vrvq devices").
    #[arg(long, value_name = "NAME")]
    pub input_device: Option<String>,
    /// Output device, by its name, a part of it, or its id.
    #[arg(long, value_name = "NAME")]
    pub output_device: Option<String>,
    /// Sample rate in Hz.
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8_000..=768_000))]
    pub sample_rate: Option<u32>,
    /// Block size in samples.
    #[arg(long, value_name = "SAMPLES", value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub buffer_size: Option<u32>,
    /// The same as FILE.
    #[arg(long, value_name = "PATH", conflicts_with = "open")]
    pub file: Option<PathBuf>,
    /// Level l, 1 to 48: the higher, the more bits.
    #[arg(long, value_name = "L", value_parser = parse_level)]
    pub level: Option<f32>,
    /// Constant bitrate: this many codebooks in every frame, whatever its importance.
    #[arg(long, value_name = "N", conflicts_with = "level", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub codebooks: Option<u8>,
    /// Average bitrate: the level moves so that the mean over 10 seconds is this many kb/s, 1 to 16.
    #[arg(long, value_name = "KBPS", conflicts_with_all = ["level", "codebooks"], value_parser = kilobits)]
    pub target: Option<f32>,
    /// Code mid and side instead of left and right.
    #[arg(long)]
    pub mid_side: bool,
    /// Code the sum of the two channels as one.
    #[arg(long, conflicts_with = "mid_side")]
    pub mono_sum: bool,
    /// What codes are chosen by, each nearer for the same bits than the one before: "latent", its error alone; "sound", what the
    /// decoder makes of the best by that, at twice the load; "refined", the same of what is searched near what the frame's latent
    /// should be after the frames before, at three to four times [default: latent].
    #[arg(long, value_name = "BY")]
    pub search: Option<CodeSearch>,
    /// Lose this many of a hundred packets on their way to the decoder, 0 to 50.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub loss: Option<f32>,
    /// Mean length of a burst of losses in packets.
    #[arg(long, value_name = "PACKETS", requires = "loss",
          value_parser = clap::value_parser!(u8).range(1..=i64::from(BURST_MAX)))]
    pub loss_burst: Option<u8>,
    /// Which packets are lost: another seed, other packets.
    #[arg(long, value_name = "SEED", requires = "loss",
          value_parser = clap::value_parser!(u16).range(..=i64::from(SEED_MAX)))]
    pub loss_seed: Option<u16>,
    /// Bring the decoded signal to the loudness of the input.
    #[arg(long)]
    pub level_match: bool,
    /// Whole hops (11.6 ms) added to the latency, 0 to 8, for machines that produce late frames [default: 1].
    #[arg(long, value_name = "HOPS", value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_SAFETY_HOPS)))]
    pub safety: Option<u32>,
    /// Model to use instead of the bundled one: a model file, or the name of an imported model (see "vrvq import").
    #[arg(long, value_name = "FILE|NAME")]
    pub model: Option<String>,
    /// What the model runs on: "auto" (one core for small models; for others a GPU, or else all cores but one), "cpu", "cpu:N"
    /// (N threads), or "cuda:N".
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// No window, no sound device: run the clip (or --file) in real time and write the decoded WAV and a picture.
    #[arg(long, conflicts_with = "no_window")]
    pub headless: bool,
    /// No window: run with the sound devices until Ctrl-C or --duration.
    #[arg(long)]
    pub no_window: bool,
    /// Folder that --headless writes to [default: "vrvq-live" in the music folder, or else in the data folder].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Record the coded stream to this .vrvq file from the start, and what is decoded to a WAV file beside it.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Stop after this many seconds without a window [default: the length of the clip, or no end].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Start with the output muted.
    #[arg(long, conflicts_with = "unmuted")]
    pub muted: bool,
    /// Start with the output audible, even with a microphone (which may howl through speakers).
    #[arg(long)]
    pub unmuted: bool,
}

impl RunArgs {
    /// The file to play.
    pub fn file(&self) -> Option<&Path> {
        self.open.as_deref().or(self.file.as_deref())
    }

    /// Whether anything of the codec's setting is asked for.
    pub fn turns_setting(&self) -> bool {
        self.level.is_some()
            || self.codebooks.is_some()
            || self.target.is_some()
            || self.mid_side
            || self.mono_sum
            || self.search.is_some()
            || self.loss.is_some()
    }

    /// The setting to begin with.
    pub fn setting(&self, card: &ModelCard) -> Setting {
        let mut setting = Setting { level: self.level.unwrap_or(card.level.default), ..Setting::default() };
        if let Some(number) = self.codebooks {
            (setting.mode, setting.codebooks) = (RateMode::Cbr, number.min(card.codebooks as u8));
        } else if let Some(kilobits) = self.target {
            (setting.mode, setting.target.kilobits) = (RateMode::Abr, kilobits);
        }
        if self.mid_side {
            setting.stereo = StereoMode::MidSide;
        } else if self.mono_sum {
            setting.stereo = StereoMode::Mono;
        }
        setting.search = self.search.unwrap_or(setting.search);
        let Loss { burst, seed, .. } = setting.loss;
        setting.loss = Loss {
            percent: self.loss.unwrap_or(0.0),
            burst: self.loss_burst.unwrap_or(burst),
            seed: self.loss_seed.unwrap_or(seed),
        };
        setting
    }
}

fn kilobits(text: &str) -> Result<f32, String> {
    let kilobits: f32 = text.parse().map_err(|_| "not a number".to_string())?;
    if (TARGET_MIN..=TARGET_MAX).contains(&kilobits) {
        Ok(kilobits)
    } else {
        Err(format!("the target runs from {TARGET_MIN} to {TARGET_MAX} kb/s"))
    }
}

fn percent(text: &str) -> Result<f32, String> {
    let percent: f32 = text.parse().map_err(|_| "not a number".to_string())?;
    if (0.0..=LOSS_MAX).contains(&percent) { Ok(percent) } else { Err(format!("the loss runs from 0 to {LOSS_MAX} %")) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    if (0.01..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("the duration runs from 0.01 to 86400 seconds".to_string())
    }
}

#[cfg(test)]
impl RunArgs {
    /// What these flags ask for.
    pub(super) fn parse(flags: &[&str]) -> clap::error::Result<Self> {
        use clap::{Args, FromArgMatches};
        let command = Self::augment_args(clap::Command::new("vrvq"));
        Self::from_arg_matches(&command.try_get_matches_from(["vrvq"].iter().chain(flags))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outside_their_ranges_are_refused() {
        for flags in [
            ["--level", "49"],
            ["--level", "loud"],
            ["--safety", "9"],
            ["--codebooks", "0"],
            ["--target", "17"],
            ["--loss", "51"],
            ["--loss-burst", "2"],
            ["--search", "everywhere"],
            ["--sample-rate", "100"],
            ["--buffer-size", "0"],
            ["--duration", "-1"],
            ["--duration", "NaN"],
        ] {
            assert!(RunArgs::parse(&flags).is_err(), "{flags:?}");
        }
        let args = RunArgs::parse(&["--level", "4.5", "--host", "alsa", "--safety", "0"]).unwrap();
        assert_eq!((args.level, args.host, args.safety), (Some(4.5), Some(HostChoice::System), Some(0)));
    }
}
