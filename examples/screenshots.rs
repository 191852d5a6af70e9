//! Paints the pictures of the guide: the view of the built-in model on the bundled clip, in software, without a window.
//!
//! ```sh
//! cargo run --example screenshots -- docs
//! ```

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/live.rs"]
mod live;
#[path = "../tests/common/view.rs"]
mod view;

use egui::{Key, accesskit::Role, pos2};
use egui_kittest::kittest::Queryable;
use std::path::Path;
use view::Bench;
use vrvq::codec::{RateControl, RateMode, Target};
use vrvq::engine::FrameReport;
use vrvq::model::Model;

/// Size of a picture in points.
const SIZE: (f32, f32) = (960.0, 600.0);

struct Studio<'a> {
    folder: &'a Path,
    reports: Vec<FrameReport>,
}

impl Studio<'_> {
    /// A window of a size that has shown the clip.
    fn window(&self, (width, height): (f32, f32), pixels: f32) -> Bench {
        let mut bench = Bench::at_scale(width, height, pixels);
        bench.telemetry.set_latency(2560, 44_100.0);
        bench.telemetry.set_load(0.24, 1.0);
        bench.telemetry.update_status(|status| {
            status.model.clone_from(&Model::builtin().expect("the bundled model opens").card().name);
            status.by_sound = true;
            status.runtime = "built-in (tract) · CPU".into();
            status.curves = Model::builtin().ok().and_then(|model| model.curves());
        });
        bench.send(self.reports.iter().copied());
        bench
    }

    fn keep(&self, bench: &mut Bench, name: &str) -> anyhow::Result<()> {
        std::fs::create_dir_all(self.folder)?;
        let path = self.folder.join(format!("{name}.png"));
        std::fs::write(&path, bench.paint().png())?;
        println!("{}", path.display());
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| "docs".into());
    let audio = common::demo().to_vec();
    let vbr = Studio { folder: Path::new(&folder), reports: live::reports(&audio, RateControl::Level(16.0)) };
    let map = |bench: &Bench| {
        let map = bench.harness.query_by_role_and_label(Role::Image, "Map");
        map.unwrap_or_else(|| bench.harness.get_by_label("Map, frozen")).rect()
    };

    let mut bench = vbr.window(SIZE, 1.0);
    vbr.keep(&mut bench, "view")?;
    let at = map(&bench);
    bench.harness.hover_at(pos2(at.left() + 0.55 * at.width(), at.center().y));
    bench.harness.run_steps(5);
    vbr.keep(&mut bench, "guide-frame")?;
    bench.harness.hover_at(pos2(2.0, 2.0));
    bench.press(&[Key::K]);
    vbr.keep(&mut bench, "guide-ladder")?;
    bench.press(&[Key::K, Key::V]);
    vbr.keep(&mut bench, "guide-decoded")?;
    bench.press(&[Key::V]);
    vbr.keep(&mut bench, "guide-difference")?;
    bench.press(&[Key::V]);
    vbr.keep(&mut bench, "guide-audible")?;
    bench.press(&[Key::V, Key::Space, Key::PageUp]);
    bench.press(&[Key::Plus, Key::Plus, Key::Plus]);
    vbr.keep(&mut bench, "guide-frozen")?;
    bench.press(&[Key::End]);
    (0..30).for_each(|_| bench.press(&[Key::Minus]));
    vbr.keep(&mut bench, "guide-minute")?;

    let mut bench = vbr.window(SIZE, 1.0);
    bench.press(&[Key::H]);
    vbr.keep(&mut bench, "guide-usage")?;
    bench.press(&[Key::R]);
    vbr.keep(&mut bench, "guide-distortion")?;
    bench.press(&[Key::R, Key::C]);
    vbr.keep(&mut bench, "view-bright")?;
    bench.press(&[Key::V, Key::V, Key::H]);
    vbr.keep(&mut bench, "view-bright-difference")?;

    let mut small = vbr.window((700.0, 450.0), 1.0);
    vbr.keep(&mut small, "view-small")?;
    small.press(&[Key::H]);
    vbr.keep(&mut small, "view-small-usage")?;
    small.press(&[Key::R]);
    vbr.keep(&mut small, "view-small-distortion")?;
    vbr.keep(&mut vbr.window((700.0, 450.0), 2.0), "view-small-2x")?;
    vbr.keep(&mut vbr.window((1600.0, 1000.0), 1.0), "view-large")?;

    let target = Target { kilobits: 7.41, window: 5.0 };
    let abr = Studio { reports: live::reports(&audio, RateControl::Target(target)), ..vbr };
    let mut bench = abr.window(SIZE, 1.0);
    let setting = &mut bench.harness.state_mut().1.settings[0];
    (setting.mode, setting.target) = (RateMode::Abr, target);
    bench.harness.run_steps(3);
    abr.keep(&mut bench, "guide-target")?;
    bench.click("ABX");
    for answer in [Key::Num1, Key::Num2, Key::Num1, Key::Num2] {
        bench.press(&[Key::X]);
        bench.press(&[answer]);
    }
    abr.keep(&mut bench, "guide-abx")?;
    Ok(())
}
