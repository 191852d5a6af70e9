//! Presets: settings of the codec with a name. Some come with the program, the others are files in the user's folder.

mod folder;

pub use folder::{Folder, PresetError, user_folder};

use crate::codec::{CodeSearch, LEVEL_MAX, Loss, RateMode, Target};
use crate::engine::{Setting, StereoMode};

/// A setting with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    pub name: String,
    pub setting: Setting,
}

/// A preset that comes with the program, and what it is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factory {
    pub name: &'static str,
    pub hint: &'static str,
    pub setting: Setting,
}

/// The presets that come with the program, from the most bits to the fewest and the worst line.
pub fn factory() -> [Factory; 8] {
    let start = Setting::default();
    let constant = |codebooks, stereo| Setting { mode: RateMode::Cbr, codebooks, stereo, ..start };
    let variable = |level, stereo| Setting { mode: RateMode::Vbr, level, stereo, ..start };
    let target = |kilobits, stereo| {
        let target = Target { kilobits, ..Target::default() };
        Setting { mode: RateMode::Abr, target, stereo, ..start }
    };
    [
        Factory {
            name: "All that it has",
            hint: "Every codebook in every frame, left and right, and codes by their sound; refined, on the Engine card, they are nearer still.",
            setting: Setting { search: CodeSearch::Sound, ..constant(8, StereoMode::LeftRight) },
        },
        Factory {
            name: "Only silence is cheap",
            hint: "The highest level: all codebooks wherever something sounds, one where nothing does.",
            setting: variable(LEVEL_MAX, StereoMode::LeftRight),
        },
        Factory {
            name: "Where it matters",
            hint: "Half of the codebooks on average, spent by the importance map, as mid and side.",
            setting: variable(start.level, StereoMode::MidSide),
        },
        Factory {
            name: "Evenly spread",
            hint: "Four codebooks everywhere, whatever the importance: to compare with Where it matters.",
            setting: constant(4, StereoMode::MidSide),
        },
        Factory {
            name: "Phone call",
            hint: "One channel at the rate of a phone's codec, 4 kb/s on average.",
            setting: target(4.0, StereoMode::Mono),
        },
        Factory {
            name: "Two kilobits",
            hint: "One channel at 2 kb/s on average: speech stays words, music becomes an idea.",
            setting: target(2.0, StereoMode::Mono),
        },
        Factory {
            name: "The first sketch",
            hint: "One codebook a frame, 0.86 kb/s: what all the others build on.",
            setting: constant(1, StereoMode::Mono),
        },
        Factory {
            name: "Bad reception",
            hint: "A phone call of which a tenth of the packets gets lost, three in a row on average.",
            setting: Setting { loss: Loss { percent: 10.0, burst: 3, seed: 1 }, ..target(4.0, StereoMode::Mono) },
        },
    ]
}
