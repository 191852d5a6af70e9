//! egui's OpenGL painter on baseview's context, which is current only while something is painted: hosts have theirs.

use crate::editor::View;
use baseview::gl::GlContext;
use baseview::{HandlerError, WindowContext};
use egui::FullOutput;
use egui_glow::glow::{self, HasContext};
use std::sync::Arc;

/// Paints frames in one window.
pub struct Painter {
    context: GlContext,
    gl: Arc<glow::Context>,
    painter: egui_glow::Painter,
}

/// The context is current for as long as this lives.
struct Current<'a>(&'a GlContext);

impl<'a> Current<'a> {
    fn new(context: &'a GlContext) -> Result<Self, baseview::Error> {
        // SAFETY: the window's thread makes it current and not current again, and no other does.
        unsafe { context.make_current() }?;
        Ok(Self(context))
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        // Where that fails, the next one to paint makes its own current.
        // SAFETY: as above.
        let _ = unsafe { self.0.make_not_current() };
    }
}

impl Painter {
    /// # Errors
    /// Where the window has no OpenGL, or too little of it.
    pub fn new(window: &WindowContext) -> Result<Self, HandlerError> {
        let none = || HandlerError::from_boxed("the window has no OpenGL context".into());
        let context = window.gl_context().ok_or_else(none)?;
        let current = Current::new(&context)?;
        // SAFETY: the functions are those of the current context.
        let gl = unsafe { glow::Context::from_loader_function_cstr(|name| context.get_proc_address(name)) };
        let gl = Arc::new(gl);
        let painter = egui_glow::Painter::new(gl.clone(), "", None, true)?;
        drop(current);
        Ok(Self { context, gl, painter })
    }

    pub fn max_texture_side(&self) -> usize {
        self.painter.max_texture_side()
    }

    /// Paints a frame of `size` pixels and shows it.
    ///
    /// # Errors
    /// Where the context is gone.
    pub fn paint(
        &mut self,
        egui: &egui::Context,
        mut output: FullOutput,
        size: [u32; 2],
        pixels_per_point: f32,
    ) -> Result<(), HandlerError> {
        let current = Current::new(&self.context)?;
        let [red, green, blue, alpha] = View::background(egui);
        // SAFETY: the context is current.
        unsafe {
            self.gl.clear_color(red, green, blue, alpha);
            self.gl.clear(glow::COLOR_BUFFER_BIT);
        }
        let shapes = egui.tessellate(output.shapes, pixels_per_point);
        self.painter.paint_and_update_textures(size, pixels_per_point, &shapes, &mut output.textures_delta);
        self.context.swap_buffers()?;
        drop(current);
        Ok(())
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        // Without a context there is nothing left of what was made in it.
        if let Ok(_current) = Current::new(&self.context) {
            self.painter.destroy();
        }
    }
}
