//! From numbers to colours, for the window and for pictures, on the dark and on the bright theme.
//!
//! Made in OKLCh, where equal steps of lightness look equal. *Loudness* and *counts* are told by lightness, which rises
//! (on bright: falls) evenly; hue only helps to name a shade, so the map reads in grey and to colour-blind eyes, and has
//! no red, which is for warnings. *Differences* go from blue over the theme's ground to orange, the pair of hues that
//! every kind of colour-blind eye tells apart; equal differences either way are equally far from the ground. *Noise* that is heard is orange too. *Codes* are
//! names without order: their hue is a texture, their lightness differs a little too, and their numbers are told in
//! words where a frame is pointed at. Whether a codebook is used at all is told by lightness. The tests look through
//! simulated colour-blind eyes.

use super::theme;
use egui::Color32;
use std::sync::LazyLock;

/// Quietest level in dB that is drawn apart from the map's quiet end.
pub const QUIET_DB: f32 = -95.0;
/// Level in dB that is drawn strongest.
pub const LOUD_DB: f32 = -15.0;
/// Difference in dB, either way, that is drawn strongest.
pub const DIFFERENCE_DB: f32 = 24.0;
/// Noise-to-mask ratio in dB that is drawn strongest.
pub const NOISE_DB: f32 = 12.0;
/// Entries that the hues of codes are spread over.
pub const CODEBOOK_SIZE: usize = 1024;

/// What the maps of a theme are made of; chroma with hue in degrees.
struct Recipe {
    /// Quiet to loud, evenly spaced.
    loudness: [(f32, f32); 6],
    loudness_light: (f32, f32),
    /// Softer and louder.
    difference: [(f32, f32); 2],
    /// None to most.
    difference_light: (f32, f32),
    code_light: (f32, f32),
    code_chroma: f32,
}

const DARK: Recipe = Recipe {
    loudness: [(0.025, 285.0), (0.115, 285.0), (0.120, 255.0), (0.105, 195.0), (0.150, 145.0), (0.110, 100.0)],
    loudness_light: (0.13, 0.95),
    difference: [(0.145, 250.0), (0.145, 65.0)],
    difference_light: (0.18, 0.80),
    code_light: (0.66, 0.78),
    code_chroma: 0.115,
};

const BRIGHT: Recipe = Recipe {
    loudness: [(0.006, 110.0), (0.090, 120.0), (0.115, 160.0), (0.095, 215.0), (0.130, 262.0), (0.110, 285.0)],
    loudness_light: (0.975, 0.20),
    difference: [(0.150, 255.0), (0.125, 60.0)],
    difference_light: (0.97, 0.45),
    code_light: (0.58, 0.70),
    code_chroma: 0.115,
};

/// The maps of a theme, as tables.
struct Maps {
    loudness: [Color32; 256],
    difference: [Color32; 257],
    codes: [Color32; 256],
}

static MAPS: LazyLock<[Maps; 2]> = LazyLock::new(|| [Maps::new(&DARK), Maps::new(&BRIGHT)]);

fn maps() -> &'static Maps {
    &MAPS[usize::from(theme::ink().bright)]
}

impl Maps {
    fn new(recipe: &Recipe) -> Self {
        let between = |(low, high): (f32, f32), share: f32| low + share * (high - low);
        let loudness = std::array::from_fn(|index| {
            let share = index as f32 / 255.0;
            let position = share * (recipe.loudness.len() - 1) as f32;
            let low = (position as usize).min(recipe.loudness.len() - 2);
            let ((chroma, hue), (next_chroma, next_hue)) = (recipe.loudness[low], recipe.loudness[low + 1]);
            let rest = position - low as f32;
            oklch(
                between(recipe.loudness_light, share),
                between((chroma, next_chroma), rest),
                between((hue, next_hue), rest),
            )
        });
        let difference = std::array::from_fn(|index| {
            let share = (index as f32 - 128.0) / 128.0;
            let (chroma, hue) = recipe.difference[usize::from(share > 0.0)];
            oklch(between(recipe.difference_light, share.abs()), chroma * share.abs().sqrt(), hue)
        });
        // Entries have no order, so the whole circle of hues is used; neighbours on it differ in lightness.
        let codes = std::array::from_fn(|index| {
            let light = between(recipe.code_light, (index * 37 % 256) as f32 / 255.0);
            oklch(light, recipe.code_chroma, 360.0 * index as f32 / 256.0)
        });
        Self { loudness, difference, codes }
    }
}

/// Colour of a level in dB re full scale.
pub fn loudness(db: f32) -> Color32 {
    let share = ((db - QUIET_DB) / (LOUD_DB - QUIET_DB)).clamp(0.0, 1.0);
    maps().loudness[(share * 255.0).round() as usize]
}

/// Colour of a number of codebooks, 1 to `of`, or of a mean: the more, the stronger.
pub fn count(number: f32, of: usize) -> Color32 {
    let share = number / of.max(1) as f32;
    maps().loudness[(share.clamp(0.0, 1.0) * 255.0).round() as usize]
}

/// Level in dB of the decoded sound over that of the dry one; what is too quiet to be drawn is all the same.
pub fn difference_db(dry: f32, decoded: f32) -> f32 {
    decoded.max(QUIET_DB) - dry.max(QUIET_DB)
}

/// Colour of a difference in dB: the theme's ground where there is none.
pub fn difference(db: f32) -> Color32 {
    let share = (db / DIFFERENCE_DB).clamp(-1.0, 1.0);
    maps().difference[(128.0 + share * 128.0).round() as usize]
}

/// Colour of a noise-to-mask ratio in dB: the theme's ground where all is masked.
pub fn noise(db: f32) -> Color32 {
    difference(db.max(0.0) * DIFFERENCE_DB / NOISE_DB)
}

/// Colour of a used code.
pub fn code(code: u16) -> Color32 {
    maps().codes[usize::from(code) % CODEBOOK_SIZE * 256 / CODEBOOK_SIZE]
}

/// A colour by lightness (0 to 1), chroma (0 is grey) and hue (degrees), by Ottosson's OKLab (2020); what sRGB lacks is
/// clipped.
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

    /// Eyes that see all colours, and those that lack one kind of cone: matrices on linear RGB by Machado, Oliveira and
    /// Fernandes (IEEE TVCG, 2009).
    const EYES: [[[f32; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ];

    /// A colour in OKLab as `eye` sees it.
    fn seen(eye: &[[f32; 3]; 3], colour: Color32) -> [f32; 3] {
        let [r, g, b, _] = colour.to_array().map(egui::ecolor::linear_f32_from_gamma_u8);
        let [r, g, b] = eye.map(|row| (row[0] * r + row[1] * g + row[2] * b).clamp(0.0, 1.0));
        let l = (0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_99 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_84 * g + 0.629_978_7 * b).cbrt();
        [
            0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ]
    }

    fn apart(one: [f32; 3], other: [f32; 3]) -> f32 {
        one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
    }

    /// For both themes and all eyes.
    fn everywhere(test: impl Fn(&[[f32; 3]; 3])) {
        for bright in [false, true] {
            theme::set(bright);
            EYES.iter().for_each(&test);
        }
        theme::set(false);
    }

    #[test]
    fn louder_is_always_further_from_the_ground_in_even_steps() {
        everywhere(|eye| {
            let light: Vec<f32> = (-95..=-15).step_by(4).map(|db| seen(eye, loudness(db as f32))[0]).collect();
            let steps: Vec<f32> = light.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
            let whole = (light[light.len() - 1] - light[0]).abs();
            assert!((steps.iter().sum::<f32>() - whole).abs() < 1e-3, "one direction: {light:?}");
            let even = whole / steps.len() as f32;
            assert!(steps.iter().all(|step| (0.4..1.9).contains(&(step / even))), "{steps:?}");
        });
        assert_eq!(loudness(-200.0), loudness(QUIET_DB));
        assert_eq!(loudness(20.0), loudness(LOUD_DB));
    }

    #[test]
    fn softer_and_louder_are_told_apart_by_all_eyes() {
        everywhere(|eye| {
            let at = |db: f32| seen(eye, difference(db));
            for db in [6.0, 12.0, 24.0] {
                let (softer, louder, none) = (at(-db), at(db), at(0.0));
                assert!(apart(softer, louder) > 0.06, "{db} dB: {softer:?} {louder:?}");
                assert!((softer[0] - louder[0]).abs() < 0.12, "{db} dB is as strong either way: {softer:?} {louder:?}");
                assert!((softer[0] - none[0]).abs() > 0.012 * db, "{db} dB stands out: {softer:?} {none:?}");
            }
        });
        assert_eq!(difference(-100.0), difference(-DIFFERENCE_DB));
    }

    #[test]
    fn used_codebooks_stand_out_and_neighbouring_codes_differ_by_more_than_hue() {
        everywhere(|eye| {
            let unused = seen(eye, theme::ink().unused);
            for index in (0..1024).step_by(4) {
                let (one, next) = (seen(eye, code(index)), seen(eye, code((index + 4) % 1024)));
                assert!((one[0] - unused[0]).abs() > 0.15, "code {index} on an unused row");
                assert!(apart(one, next) > 0.008, "codes {index} and {}", index + 4);
            }
        });
        assert_ne!(code(0), code(512));
    }
}
