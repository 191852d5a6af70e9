//! VRVQ live: a variable-bitrate neural audio codec that can be heard and seen while it runs.
//!
//! The folders follow the data: [`codec`] (arithmetic of frames and bits), [`model`] (a model file that can be
//! stepped hop by hop), [`container`] (frames in a `.vrvq` file), [`coding`] (sound to such files and back: the
//! library's way in), [`engine`] (the loop beside a real-time audio thread), [`blind`] (the blind test), [`preset`]
//! (settings with a name), [`editor`] (the view), [`picture`] and [`export`] (what is on screen, as files), [`plugin`] (CLAP and VST3), [`standalone`] (the app). Beside them: [`audio`]
//! (files and pipes), [`measure`] (distortion), [`figure`] (for print), [`compare`] (other codecs), [`cli`]
//! (the command line). Dependencies point that way only.

pub mod audio;
pub mod blind;
pub mod cli;
pub mod codec;
pub mod coding;
pub mod compare;
pub mod container;
pub mod editor;
pub mod engine;
pub mod export;
pub mod figure;
mod interrupt;
pub mod measure;
pub mod model;
pub mod picture;
pub mod plugin;
pub mod preset;
pub mod saved;
pub mod standalone;

pub use coding::{Decoder, Encoder};

nice_plug::nice_export_clap!(plugin::VrvqPlugin);
nice_plug::nice_export_vst3!(plugin::VrvqPlugin);
