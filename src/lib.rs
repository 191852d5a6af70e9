//! VRVQ live: a variable-bitrate neural audio codec that can be heard and seen while it runs.
//!
//! The folders follow the data: [`codec`] (arithmetic of frames and bits), [`model`] (a model file that can be
//! stepped hop by hop), [`container`] (frames in a `.vrvq` file), [`coding`] (sound to such files and back: the
//! library's way in), `engine` (the loop beside a real-time audio thread), `blind` (the blind test), `preset`
//! (settings with a name), `recording` (the stream kept in files), `editor` (the view), `picture` and `export` (what is on screen, as files), `plugin` (CLAP and
//! VST3), `standalone` (the app). Beside them: `audio` (files and pipes), `masking` (what the ear doesn't hear), `measure` (distortion), `figure` (for print),
//! `compare` (other codecs), `cli` (the command line). Dependencies point that way only.
//!
//! # Features
//! Without any, the library is [`codec`], [`container`], [`model`] and [`coding`], free of plug-in, window and sound
//! devices. `tract` compiles a runtime in; `audio` adds audio files; `cli` the command line; `live` loop and view, of which
//! `plugin` and `app` make what their names say. All are on by default.

#[cfg(feature = "audio")]
pub mod audio;
#[cfg(feature = "live")]
pub mod blind;
#[cfg(feature = "cli")]
pub mod cli;
pub mod codec;
pub mod coding;
#[cfg(feature = "cli")]
pub mod compare;
pub mod container;
#[cfg(feature = "live")]
pub mod editor;
#[cfg(feature = "live")]
pub mod engine;
#[cfg(feature = "live")]
pub mod export;
#[cfg(feature = "cli")]
pub mod figure;
#[cfg(feature = "cli")]
mod interrupt;
#[cfg(any(feature = "live", feature = "cli"))]
pub mod masking;
#[cfg(feature = "cli")]
pub mod measure;
pub mod model;
mod pages;
#[cfg(feature = "live")]
pub mod picture;
#[cfg(feature = "plugin")]
pub mod plugin;
#[cfg(feature = "live")]
pub mod preferences;
#[cfg(feature = "live")]
pub mod preset;
#[cfg(feature = "live")]
pub mod recording;
#[cfg(feature = "live")]
pub mod saved;
#[cfg(feature = "app")]
pub mod standalone;

pub use coding::{Decoder, Encoder};

#[cfg(feature = "plugin")]
nice_plug::nice_export_clap!(plugin::VrvqPlugin);
