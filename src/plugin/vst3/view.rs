//! The VST3's window on Linux: nice-plug's, with a run loop that is left again.
//!
//! With each window nice-plug 0.4.2 puts a handler into the host's run loop, which holds on to itself and so stays there: two sockets
//! more are open for each opening, and the host keeps the address of code that it may unload. So the view that hosts see
//! passes all on to nice-plug's and hands it a frame that remembers the handlers; they are taken back with the frame.

use nice_plug::wrapper::vst3::vst3;
use std::ffi::c_void;
use std::mem;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vst3::Steinberg::IPlugViewContentScaleSupport_::ScaleFactor;
use vst3::Steinberg::Linux::{
    FileDescriptor, IEventHandler, IEventHandlerTrait, IRunLoop, IRunLoopTrait, ITimerHandler, TimerInterval,
};
use vst3::Steinberg::{
    FIDString, IPlugFrame, IPlugFrameTrait, IPlugView, IPlugViewContentScaleSupport, IPlugViewContentScaleSupportTrait,
    IPlugViewTrait, TBool, ViewRect, char16, int16, kInvalidArgument, kNotImplemented, kResultFalse, kResultOk,
    tresult,
};
use vst3::{Class, ComPtr, ComRef, ComWrapper};

/// What hosts see around the `view` that is theirs.
///
/// # Safety
/// `view` is null or a reference that its caller owns; so is what is returned.
pub(super) unsafe fn wrapped(view: *mut IPlugView) -> *mut IPlugView {
    // SAFETY: the caller's promise.
    let Some(view) = (unsafe { ComPtr::from_raw(view) }) else { return null_mut() };
    let object = ComWrapper::new(View { view, own: AtomicPtr::default(), frame: Mutex::default() });
    let Some(own) = object.to_com_ptr::<IPlugView>() else { return null_mut() };
    object.own.store(own.as_ptr(), Relaxed);
    own.into_raw()
}

struct View {
    /// nice-plug's.
    view: ComPtr<IPlugView>,
    /// This object, as the host knows it; not a reference.
    own: AtomicPtr<IPlugView>,
    frame: Mutex<Option<Arc<Frame>>>,
}

impl Class for View {
    type Interfaces = (IPlugView, IPlugViewContentScaleSupport);
}

impl View {
    /// Gives nice-plug `frame`, and takes back what it has registered with the frame before.
    fn exchange(&self, frame: Option<Arc<Frame>>) -> tresult {
        let known = mem::replace(&mut *self.frame.lock().unwrap_or_else(PoisonError::into_inner), frame.clone());
        let handlers = known.map(|frame| frame.take_back()).unwrap_or_default();
        let guest = frame.and_then(|frame| match frame.run_loop {
            Some(_) => ComWrapper::new(Guest::<true>(frame)).to_com_ptr::<IPlugFrame>(),
            None => ComWrapper::new(Guest::<false>(frame)).to_com_ptr::<IPlugFrame>(),
        });
        // SAFETY: null or a living frame, to which nice-plug adds its own reference.
        let result = unsafe { self.view.setFrame(guest.as_ref().map_or(null_mut(), ComPtr::as_ptr)) };
        for handler in handlers {
            // SAFETY: the reference that nice-plug 0.4.2 has made the handler hold of itself, which it never takes back; the
            // version is fixed in Cargo.toml for this.
            drop(unsafe { ComPtr::from_raw(handler.as_ptr()) });
        }
        result
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.exchange(None);
    }
}

/// The host's frame, and what nice-plug has in its run loop.
struct Frame {
    host: ComPtr<IPlugFrame>,
    run_loop: Option<ComPtr<IRunLoop>>,
    /// The view as the host knows it; it outlives what is done through this.
    view: AtomicPtr<IPlugView>,
    handlers: Mutex<Vec<Handler>>,
}

/// A handler of nice-plug's and the one that the host has for it.
struct Handler {
    own: ComPtr<IEventHandler>,
    host: ComPtr<IEventHandler>,
}

impl Frame {
    fn handlers(&self) -> MutexGuard<'_, Vec<Handler>> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all handlers out of the host's run loop; nice-plug's own.
    fn take_back(&self) -> Vec<ComPtr<IEventHandler>> {
        let handlers = mem::take(&mut *self.handlers());
        for (handler, run_loop) in handlers.iter().zip(self.run_loop.iter().cycle()) {
            // SAFETY: both are alive; the host forgets what it was given.
            unsafe { run_loop.unregisterEventHandler(handler.host.as_ptr()) };
        }
        handlers.into_iter().map(|handler| handler.own).collect()
    }
}

/// Keeps nice-plug's handler for as long as it is at work, which may close the window.
struct Kept(ComPtr<IEventHandler>);

impl Class for Kept {
    type Interfaces = (IEventHandler,);
}

impl IEventHandlerTrait for Kept {
    unsafe fn onFDIsSet(&self, descriptor: FileDescriptor) {
        let handler = self.0.clone();
        // SAFETY: passed on as it is. This object may be gone afterwards.
        unsafe { handler.onFDIsSet(descriptor) };
    }
}

/// The frame that nice-plug gets; a run loop too where the host's is one.
struct Guest<const LOOP: bool>(Arc<Frame>);

impl Class for Guest<false> {
    type Interfaces = (IPlugFrame,);
}

impl Class for Guest<true> {
    type Interfaces = (IPlugFrame, IRunLoop);
}

impl<const LOOP: bool> IPlugFrameTrait for Guest<LOOP> {
    unsafe fn resizeView(&self, _view: *mut IPlugView, size: *mut ViewRect) -> tresult {
        // SAFETY: passed on, with the view that the host knows.
        unsafe { self.0.host.resizeView(self.0.view.load(Relaxed), size) }
    }
}

impl IRunLoopTrait for Guest<true> {
    unsafe fn registerEventHandler(&self, handler: *mut IEventHandler, descriptor: FileDescriptor) -> tresult {
        let Some(run_loop) = &self.0.run_loop else { return kNotImplemented };
        // SAFETY: null or a living handler.
        let Some(known) = (unsafe { ComRef::from_raw(handler) }) else { return kInvalidArgument };
        let own = known.to_com_ptr();
        let Some(host) = ComWrapper::new(Kept(own.clone())).to_com_ptr() else { return kNotImplemented };
        let handler = Handler { own, host };
        // SAFETY: a living handler, of which the host holds a reference for as long as it needs it.
        let result = unsafe { run_loop.registerEventHandler(handler.host.as_ptr(), descriptor) };
        if result == kResultOk {
            self.0.handlers().push(handler);
        }
        result
    }

    unsafe fn unregisterEventHandler(&self, handler: *mut IEventHandler) -> tresult {
        let Some(run_loop) = &self.0.run_loop else { return kNotImplemented };
        let mut handlers = self.0.handlers();
        // One that was taken back already calls from its end; the host must not see it any more.
        let Some(index) = handlers.iter().position(|known| known.own.as_ptr() == handler) else { return kResultFalse };
        let known = handlers.swap_remove(index);
        drop(handlers);
        // SAFETY: `known` holds it.
        unsafe { run_loop.unregisterEventHandler(known.host.as_ptr()) }
    }

    unsafe fn registerTimer(&self, handler: *mut ITimerHandler, milliseconds: TimerInterval) -> tresult {
        let Some(run_loop) = &self.0.run_loop else { return kNotImplemented };
        // SAFETY: passed on as it is.
        unsafe { run_loop.registerTimer(handler, milliseconds) }
    }

    unsafe fn unregisterTimer(&self, handler: *mut ITimerHandler) -> tresult {
        let Some(run_loop) = &self.0.run_loop else { return kNotImplemented };
        // SAFETY: passed on as it is.
        unsafe { run_loop.unregisterTimer(handler) }
    }
}

super::forward! { View.view: IPlugViewTrait {
    unsafe fn setFrame(&self, frame: *mut IPlugFrame) -> tresult {
        // SAFETY: null or a living frame.
        let host = unsafe { ComRef::from_raw(frame) }.map(|frame| frame.to_com_ptr());
        self.exchange(host.map(|host| {
            let view = AtomicPtr::new(self.own.load(Relaxed));
            Arc::new(Frame { run_loop: host.cast(), host, view, handlers: Mutex::default() })
        }))
    }
}
    isPlatformTypeSupported(kind: FIDString) -> tresult;
    attached(parent: *mut c_void, kind: FIDString) -> tresult;
    removed() -> tresult;
    onWheel(distance: f32) -> tresult;
    onKeyDown(key: char16, code: int16, modifiers: int16) -> tresult;
    onKeyUp(key: char16, code: int16, modifiers: int16) -> tresult;
    getSize(size: *mut ViewRect) -> tresult;
    onSize(size: *mut ViewRect) -> tresult;
    onFocus(state: TBool) -> tresult;
    canResize() -> tresult;
    checkSizeConstraint(size: *mut ViewRect) -> tresult;
}

impl IPlugViewContentScaleSupportTrait for View {
    unsafe fn setContentScaleFactor(&self, factor: ScaleFactor) -> tresult {
        let Some(view) = self.view.cast::<IPlugViewContentScaleSupport>() else { return kNotImplemented };
        // SAFETY: passed on as it is.
        unsafe { view.setContentScaleFactor(factor) }
    }
}
