//! From numbers to colours, for the window and for pictures. Made in OKLCh, where equal steps of lightness look equal.

use egui::Color32;
use std::sync::LazyLock;

/// Quietest level in dB that is drawn brighter than the map's dark end.
pub const QUIET_DB: f32 = -95.0;
/// Level in dB that is drawn brightest.
pub const LOUD_DB: f32 = -15.0;
/// Entries that the hues of codes are spread over.
pub const CODEBOOK_SIZE: usize = 1024;

/// Lightness and chroma of every used code: one brightness, so that only use stands out, and the hues read as texture.
const CODE_TONE: (f32, f32) = (0.72, 0.115);

/// Chroma and hue (degrees) of the loudness map, quiet to loud, evenly spaced. Lightness rises evenly between
/// [`LOUDNESS_LIGHT`], so that the map reads in grey and to colour-blind eyes; no red, which is for warnings.
const LOUDNESS: [(f32, f32); 6] =
    [(0.025, 285.0), (0.115, 285.0), (0.120, 255.0), (0.105, 195.0), (0.150, 145.0), (0.110, 100.0)];
const LOUDNESS_LIGHT: (f32, f32) = (0.13, 0.95);

static LOUDNESS_TABLE: LazyLock<[Color32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        let share = index as f32 / 255.0;
        let position = share * (LOUDNESS.len() - 1) as f32;
        let low = (position as usize).min(LOUDNESS.len() - 2);
        let mix = |a: f32, b: f32| a + (position - low as f32) * (b - a);
        let ((chroma, hue), (next_chroma, next_hue)) = (LOUDNESS[low], LOUDNESS[low + 1]);
        let light = LOUDNESS_LIGHT.0 + share * (LOUDNESS_LIGHT.1 - LOUDNESS_LIGHT.0);
        oklch(light, mix(chroma, next_chroma), mix(hue, next_hue))
    })
});

/// Difference in dB, either way, that is drawn brightest.
pub const DIFFERENCE_DB: f32 = 24.0;

/// Chroma and hue at both ends of the difference map: blue where the decoded sound is softer, orange where it is
/// louder. Colour-blind eyes of every kind tell them apart. Lightness rises evenly and alike to both sides, so that
/// equal differences stand out equally.
const DIFFERENCE: [(f32, f32); 2] = [(0.145, 250.0), (0.145, 65.0)];
const DIFFERENCE_LIGHT: (f32, f32) = (0.18, 0.80);

static DIFFERENCE_TABLE: LazyLock<[Color32; 257]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        let share = (index as f32 - 128.0) / 128.0;
        let (chroma, hue) = DIFFERENCE[usize::from(share > 0.0)];
        let light = DIFFERENCE_LIGHT.0 + share.abs() * (DIFFERENCE_LIGHT.1 - DIFFERENCE_LIGHT.0);
        oklch(light, chroma * share.abs().sqrt(), hue)
    })
});

static CODE_TABLE: LazyLock<[Color32; 256]> = LazyLock::new(|| {
    // Entries have no order, so the whole circle of hues is used.
    std::array::from_fn(|index| oklch(CODE_TONE.0, CODE_TONE.1, 360.0 * index as f32 / 256.0))
});

/// Colour of a level in dB re full scale.
pub fn loudness(db: f32) -> Color32 {
    let share = ((db - QUIET_DB) / (LOUD_DB - QUIET_DB)).clamp(0.0, 1.0);
    LOUDNESS_TABLE[(share * 255.0).round() as usize]
}

/// Colour of a number of codebooks, 1 to `of`, or of a mean: the more, the brighter.
pub fn count(number: f32, of: usize) -> Color32 {
    let share = number / of.max(1) as f32;
    LOUDNESS_TABLE[(share.clamp(0.0, 1.0) * 255.0).round() as usize]
}

/// Level in dB of the decoded sound over that of the dry one; what is too quiet to be drawn is all the same.
pub fn difference_db(dry: f32, decoded: f32) -> f32 {
    decoded.max(QUIET_DB) - dry.max(QUIET_DB)
}

/// Colour of a difference in dB: dark where there is none.
pub fn difference(db: f32) -> Color32 {
    let share = (db / DIFFERENCE_DB).clamp(-1.0, 1.0);
    DIFFERENCE_TABLE[(128.0 + share * 128.0).round() as usize]
}

/// Colour of a used code: its index in the codebook as the hue.
pub fn code(code: u16) -> Color32 {
    CODE_TABLE[usize::from(code) % CODEBOOK_SIZE * 256 / CODEBOOK_SIZE]
}

/// A colour by lightness (0 to 1), chroma (0 is grey) and hue (degrees); what sRGB lacks is clipped.
fn oklch(light: f32, chroma: f32, hue: f32) -> Color32 {
    let (a, b) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
    let l = (light + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (light - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (light - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    let linear = [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ];
    let [r, g, b] = linear.map(egui::ecolor::gamma_u8_from_linear_f32);
    Color32::from_rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of a colour.
    fn luminance(colour: Color32) -> f32 {
        let linear = |value| egui::ecolor::linear_f32_from_gamma_u8(value);
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    }

    #[test]
    fn louder_is_always_brighter() {
        let levels: Vec<f32> = (-95..=-15).map(|db| luminance(loudness(db as f32))).collect();
        assert!(levels.windows(2).all(|pair| pair[1] > pair[0]), "{levels:?}");
        assert_eq!(loudness(-200.0), loudness(QUIET_DB));
        assert_eq!(loudness(20.0), loudness(LOUD_DB));
    }

    #[test]
    fn codes_differ_in_hue_but_hardly_in_brightness() {
        let shades: Vec<f32> = (0..1024).step_by(16).map(|c| luminance(code(c))).collect();
        let (low, high) = shades.iter().fold((1.0f32, 0.0f32), |(low, high), &l| (low.min(l), high.max(l)));
        assert!(low > 0.28 && high < 0.52, "{low} to {high}");
        assert_ne!(code(0), code(512));
    }
}
