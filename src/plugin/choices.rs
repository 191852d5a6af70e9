//! What a host chooses from. Ids never change, and new choices go to the end: sessions and automation refer to them.

use crate::codec::{CodeSearch, RateMode};
use crate::engine::{Monitor, Slot, StereoMode};
use nice_plug::prelude::*;

/// [`Monitor`] as a host sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonitorChoice {
    #[id = "decoded"]
    #[name = "Decoded"]
    Decoded,
    #[id = "dry"]
    #[name = "Dry"]
    Dry,
    #[id = "difference"]
    #[name = "Difference"]
    Difference,
    #[id = "split"]
    #[name = "Split"]
    Split,
}

impl From<MonitorChoice> for Monitor {
    fn from(choice: MonitorChoice) -> Self {
        match choice {
            MonitorChoice::Decoded => Self::Decoded,
            MonitorChoice::Dry => Self::Dry,
            MonitorChoice::Difference => Self::Difference,
            MonitorChoice::Split => Self::Split,
        }
    }
}

impl From<Monitor> for MonitorChoice {
    fn from(monitor: Monitor) -> Self {
        match monitor {
            Monitor::Decoded => Self::Decoded,
            Monitor::Dry => Self::Dry,
            Monitor::Difference => Self::Difference,
            Monitor::Split => Self::Split,
        }
    }
}

/// [`RateMode`] as a host sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeChoice {
    #[id = "vbr"]
    #[name = "VBR"]
    Vbr,
    #[id = "cbr"]
    #[name = "CBR"]
    Cbr,
    #[id = "abr"]
    #[name = "ABR"]
    Abr,
}

impl From<ModeChoice> for RateMode {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::Vbr => Self::Vbr,
            ModeChoice::Cbr => Self::Cbr,
            ModeChoice::Abr => Self::Abr,
        }
    }
}

impl From<RateMode> for ModeChoice {
    fn from(mode: RateMode) -> Self {
        match mode {
            RateMode::Vbr => Self::Vbr,
            RateMode::Cbr => Self::Cbr,
            RateMode::Abr => Self::Abr,
        }
    }
}

/// [`StereoMode`] as a host sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum StereoChoice {
    #[id = "left_right"]
    #[name = "Left/Right"]
    LeftRight,
    #[id = "mid_side"]
    #[name = "Mid/Side"]
    MidSide,
    #[id = "mono"]
    #[name = "Mono sum"]
    Mono,
}

impl From<StereoChoice> for StereoMode {
    fn from(choice: StereoChoice) -> Self {
        match choice {
            StereoChoice::LeftRight => Self::LeftRight,
            StereoChoice::MidSide => Self::MidSide,
            StereoChoice::Mono => Self::Mono,
        }
    }
}

impl From<StereoMode> for StereoChoice {
    fn from(mode: StereoMode) -> Self {
        match mode {
            StereoMode::LeftRight => Self::LeftRight,
            StereoMode::MidSide => Self::MidSide,
            StereoMode::Mono => Self::Mono,
        }
    }
}

/// [`CodeSearch`] as a host sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchChoice {
    #[id = "latent"]
    #[name = "By latent"]
    Latent,
    #[id = "sound"]
    #[name = "By sound"]
    Sound,
    #[id = "refined"]
    #[name = "Refined"]
    Refined,
}

impl From<SearchChoice> for CodeSearch {
    fn from(choice: SearchChoice) -> Self {
        match choice {
            SearchChoice::Latent => Self::Latent,
            SearchChoice::Sound => Self::Sound,
            SearchChoice::Refined => Self::Refined,
        }
    }
}

impl From<CodeSearch> for SearchChoice {
    fn from(search: CodeSearch) -> Self {
        match search {
            CodeSearch::Latent => Self::Latent,
            CodeSearch::Sound => Self::Sound,
            CodeSearch::Refined => Self::Refined,
        }
    }
}

/// [`Slot`] as a host sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotChoice {
    #[id = "1"]
    #[name = "1"]
    One,
    #[id = "2"]
    #[name = "2"]
    Two,
}

impl From<SlotChoice> for Slot {
    fn from(choice: SlotChoice) -> Self {
        match choice {
            SlotChoice::One => Self::One,
            SlotChoice::Two => Self::Two,
        }
    }
}

impl From<Slot> for SlotChoice {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::One => Self::One,
            Slot::Two => Self::Two,
        }
    }
}
