//! From importance and level to the number of codebooks a frame uses (section "Rate control" of the paper).

/// Lowest level l of the knob: `p < 1` keeps every frame at one codebook.
pub const LEVEL_MIN: f32 = 1.0;
/// Highest level l seen in training: a frame of mean importance uses all codebooks.
pub const LEVEL_MAX: f32 = 48.0;

/// `level` held within [`LEVEL_MIN`] and [`LEVEL_MAX`]; not-a-number becomes the minimum.
pub fn clamp_level(level: f32) -> f32 {
    if level.is_nan() { LEVEL_MIN } else { level.clamp(LEVEL_MIN, LEVEL_MAX) }
}

/// Number of codebooks n of a frame: codebook k is used where `level * importance >= k`, so
/// `n = min(floor(level * importance) + 1, codebooks)`, never fewer than one.
///
/// `importance` is p in [0, 1], `level` is the paper's l, `codebooks` is Nq. An importance that is not a
/// number counts as 0.
pub fn count(importance: f32, level: f32, codebooks: usize) -> usize {
    let scaled = (level * importance).max(0.0);
    // `as` saturates, so a huge product can't wrap around.
    (scaled as usize).saturating_add(1).min(codebooks)
}
