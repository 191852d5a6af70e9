//! How the view looks, as the user wants it in every window: kept by whoever shows the view.

use serde::{Deserialize, Serialize};

/// Dark or bright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the system is; dark where it doesn't tell.
    #[default]
    System,
    Dark,
    Bright,
}

impl ThemeChoice {
    /// The next choice of a switch that goes through all.
    pub(super) fn next(self) -> Self {
        match self {
            Self::System => Self::Bright,
            Self::Bright => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::System => "as the system",
            Self::Bright => "bright",
            Self::Dark => "dark",
        }
    }
}

impl From<ThemeChoice> for egui::ThemePreference {
    fn from(choice: ThemeChoice) -> Self {
        match choice {
            ThemeChoice::System => Self::System,
            ThemeChoice::Dark => Self::Dark,
            ThemeChoice::Bright => Self::Light,
        }
    }
}

/// What the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    pub theme: ThemeChoice,
}

/// Remembers the look.
pub trait Memory: Send {
    /// What was kept last; the default where nothing was.
    fn recall(&self) -> Look;
    /// Keeps a look, or tells in words why it can't.
    ///
    /// # Errors
    /// What went wrong, for the user to read.
    fn keep(&mut self, look: Look) -> Result<(), String>;
}

/// Forgets the look with the window.
pub struct NoMemory;

impl Memory for NoMemory {
    fn recall(&self) -> Look {
        Look::default()
    }

    fn keep(&mut self, _: Look) -> Result<(), String> {
        Ok(())
    }
}
