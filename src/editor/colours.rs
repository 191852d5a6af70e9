//! From numbers to colours, for the window and for pictures.

use egui::Color32;
use egui::ecolor::Hsva;

/// Points of the loudness map, dark to bright, evenly spaced. Lightness rises evenly (so it reads in grey and to
/// colour-blind eyes) while the hue goes from blue over red to yellow.
const LOUDNESS: [[f32; 3]; 7] = [
    [8.0, 9.0, 14.0],
    [38.0, 22.0, 82.0],
    [94.0, 30.0, 116.0],
    [158.0, 48.0, 108.0],
    [216.0, 84.0, 78.0],
    [246.0, 154.0, 70.0],
    [252.0, 236.0, 168.0],
];

/// Quietest level in dB that is drawn brighter than black, and the level drawn brightest.
pub const QUIET_DB: f32 = -95.0;
pub const LOUD_DB: f32 = -15.0;

/// Colour of a level in dB re full scale.
pub fn loudness(db: f32) -> Color32 {
    let position = ((db - QUIET_DB) / (LOUD_DB - QUIET_DB)).clamp(0.0, 1.0) * (LOUDNESS.len() - 1) as f32;
    let low = (position as usize).min(LOUDNESS.len() - 2);
    let share = position - low as f32;
    let mix = |i: usize| (LOUDNESS[low][i] + share * (LOUDNESS[low + 1][i] - LOUDNESS[low][i])) as u8;
    Color32::from_rgb(mix(0), mix(1), mix(2))
}

/// Colour of a used code: its index in the codebook as the hue.
pub fn code(code: u16, codebook_size: usize) -> Color32 {
    // Neighbouring entries are no more alike than others, so the whole circle is used.
    Hsva::new(f32::from(code) / codebook_size as f32, 0.55, 0.92, 1.0).into()
}
