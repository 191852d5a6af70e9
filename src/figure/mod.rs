//! Figures for print, from any audio: where the codebooks go ([`usage`]), and what a bit buys ([`curves`]).
//!
//! Drawn alike to PNG (at twice the size) and SVG. Colours are viridis and the palette of Okabe and Ito, which
//! colour-blind eyes tell apart; markers and line styles differ as well, so that a figure reads in grey.

mod canvas;
pub mod curves;
mod error;
mod spectrogram;
pub mod usage;

pub use canvas::FigureFormat;
pub use error::FigureError;
