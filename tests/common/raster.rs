//! Draws what egui gives, in software: enough of it to look at a view and to compare two pictures of it.

use egui::epaint::{ImageData, Primitive, TextureId, Vertex, textures::TextureFilter};
use egui::{Color32, FullOutput, Rect, TexturesDelta, vec2};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

struct Texture {
    size: [usize; 2],
    pixels: Vec<Color32>,
    smooth: bool,
}

/// The textures of a harness: give it a clone as its renderer.
#[derive(Clone, Default)]
pub struct Textures(Rc<RefCell<HashMap<TextureId, Texture>>>);

/// A painted window: premultiplied pixels, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Painted {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<Color32>,
    /// Pixels of a point.
    pub scale: usize,
}

impl egui_kittest::TestRenderer for Textures {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        let mut textures = self.0.borrow_mut();
        for (id, delta) in delta.set.drain().flat_map(|(id, deltas)| deltas.into_iter().map(move |delta| (id, delta))) {
            let ImageData::Color(image) = &delta.image;
            let smooth = delta.options.magnification == TextureFilter::Linear;
            let Some([left, top]) = delta.pos else {
                textures.insert(id, Texture { size: image.size, pixels: image.pixels.clone(), smooth });
                continue;
            };
            let texture = textures.get_mut(&id).expect("a part of a texture that is there");
            for (row, pixels) in image.pixels.chunks(image.size[0]).enumerate() {
                let start = (top + row) * texture.size[0] + left;
                texture.pixels[start..start + pixels.len()].copy_from_slice(pixels);
            }
        }
        for id in delta.free.drain() {
            textures.remove(&id);
        }
    }
}

impl Texture {
    fn at(&self, x: isize, y: isize) -> [f32; 4] {
        let clamp = |value: isize, size: usize| value.clamp(0, size as isize - 1) as usize;
        let [r, g, b, a] = self.pixels[clamp(y, self.size[1]) * self.size[0] + clamp(x, self.size[0])].to_array();
        [r, g, b, a].map(f32::from)
    }

    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let (x, y) = (u * self.size[0] as f32, v * self.size[1] as f32);
        if !self.smooth {
            return self.at(x.floor() as isize, y.floor() as isize);
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let mix = |a: [f32; 4], b: [f32; 4], t: f32| std::array::from_fn(|i| a[i] + t * (b[i] - a[i]));
        let row = |y: isize| mix(self.at(left as isize, y), self.at(left as isize + 1, y), x - left);
        mix(row(top as isize), row(top as isize + 1), y - top)
    }
}

impl Textures {
    /// Paints what is in `window` of a context's last output.
    pub fn paint(&self, context: &egui::Context, output: &FullOutput, window: Rect) -> Painted {
        let scale = output.pixels_per_point;
        let size = (window.size() * scale).round();
        let mut painted = Painted {
            width: size.x as usize,
            height: size.y as usize,
            pixels: vec![Color32::BLACK; size.x as usize * size.y as usize],
            scale: scale as usize,
        };
        for clipped in context.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = &clipped.primitive else { continue };
            let textures = self.0.borrow();
            let texture = &textures[&mesh.texture_id];
            let clip = clipped.clip_rect.translate(-window.min.to_vec2()) * scale;
            let vertex = |index: u32| {
                let vertex = mesh.vertices[index as usize];
                Vertex { pos: ((vertex.pos - window.min) * scale).to_pos2(), ..vertex }
            };
            for triangle in mesh.indices.chunks_exact(3) {
                painted.triangle([triangle[0], triangle[1], triangle[2]].map(vertex), clip, texture);
            }
        }
        painted
    }
}

impl Painted {
    fn triangle(&mut self, mut corners: [Vertex; 3], clip: Rect, texture: &Texture) {
        let cross = |a: egui::Vec2, b: egui::Vec2| a.x * b.y - a.y * b.x;
        let mut area = cross(corners[1].pos - corners[0].pos, corners[2].pos - corners[0].pos);
        if area < 0.0 {
            corners.swap(1, 2);
            area = -area;
        }
        if area < 1e-9 {
            return;
        }
        let bounds = Rect::from_points(&corners.map(|corner| corner.pos)).intersect(clip);
        let range = |low: f32, high: f32, size: usize| {
            (low - 0.5).ceil().max(0.0) as usize..((high - 0.5).floor() + 1.0).clamp(0.0, size as f32) as usize
        };
        let flat = corners.iter().all(|corner| corner.uv == corners[0].uv);
        let shade = flat.then(|| texture.sample(corners[0].uv.x, corners[0].uv.y));
        for y in range(bounds.top(), bounds.bottom(), self.height) {
            for x in range(bounds.left(), bounds.right(), self.width) {
                let at = egui::pos2(x as f32 + 0.5, y as f32 + 0.5);
                let mut weights = [0.0; 3];
                let inside = (0..3).all(|i| {
                    let (from, to) = (corners[(i + 1) % 3].pos, corners[(i + 2) % 3].pos);
                    let edge = to - from;
                    weights[i] = cross(edge, at - from) / area;
                    // A pixel on the seam of two triangles belongs to one of them.
                    let owns = edge.y < 0.0 || (edge.y == 0.0 && edge.x > 0.0);
                    weights[i] > 0.0 || (weights[i] == 0.0 && owns)
                });
                if !inside {
                    continue;
                }
                let mix = |value: &dyn Fn(&Vertex) -> f32| (0..3).map(|i| weights[i] * value(&corners[i])).sum::<f32>();
                let texel = shade.unwrap_or_else(|| texture.sample(mix(&|v| v.uv.x), mix(&|v| v.uv.y)));
                let source: [f32; 4] =
                    std::array::from_fn(|i| mix(&|v| f32::from(v.color.to_array()[i])) * texel[i] / 255.0);
                let pixel = &mut self.pixels[y * self.width + x];
                let under = pixel.to_array();
                let [r, g, b, _] = std::array::from_fn(|i| {
                    (source[i] + f32::from(under[i]) * (1.0 - source[3] / 255.0)).round().clamp(0.0, 255.0) as u8
                });
                *pixel = Color32::from_rgb(r, g, b);
            }
        }
    }

    /// The part of it in `rect`, in points of the window.
    pub fn part(&self, rect: Rect) -> Self {
        let rect = rect * self.scale as f32;
        let (left, top) = (rect.left() as usize, rect.top() as usize);
        let size = vec2(rect.width(), rect.height()).floor();
        let (width, height) = ((size.x as usize).min(self.width - left), (size.y as usize).min(self.height - top));
        let rows = (top..top + height).flat_map(|y| &self.pixels[y * self.width + left..][..width]);
        Self { width, height, pixels: rows.copied().collect(), scale: self.scale }
    }

    /// Mean lightness, 0 to 1, of the pixels as they are seen.
    pub fn lightness(&self) -> f32 {
        let sum: f32 = self.pixels.iter().map(|pixel| pixel.intensity()).sum();
        sum / self.pixels.len() as f32
    }

    /// As a PNG file.
    pub fn png(&self) -> Vec<u8> {
        let rgba = self.pixels.iter().flat_map(Color32::to_array).collect();
        let data = egui::IconData { rgba, width: self.width as u32, height: self.height as u32 };
        eframe::icon_data::IconDataExt::to_png_bytes(&data).expect("a picture is encoded")
    }
}
