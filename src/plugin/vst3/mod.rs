//! The VST3: nice-plug's, with a process mode that is the host's.
//!
//! A VST3 host says whether it renders offline in `setupProcessing`, and again with each block. nice-plug 0.4.2 heeds the
//! first only, and one call too late: a bounce ran in real time, and what was played after it waited for the codec. Hosts
//! of JUCE may change the mode with the blocks alone. So the object that hosts see is one that passes all on to
//! nice-plug's and tells the plug-in the mode beside it.

/// Implements an interface: first what is done here, then what nice-plug's object does.
macro_rules! forward {
    ($object:ident.$inner:ident: $interface:ident { $($own:tt)* } $($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl $interface for $object {
            $($own)*
            $(unsafe fn $name(&self, $($argument: $type),*) -> $result {
                // SAFETY: the host's promises are passed on as they are.
                unsafe { $interface::$name(&self.$inner, $($argument),*) }
            })*
        }
    };
}
#[cfg(all(unix, not(target_os = "macos")))]
use forward;

mod factory;
#[cfg(all(unix, not(target_os = "macos")))]
mod view;

use super::VrvqPlugin;
use nice_plug::wrapper::vst3::{Wrapper, vst3};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use vst3::Class;
use vst3::Steinberg::Vst::ChannelContext::{IInfoListener, IInfoListenerTrait};
use vst3::Steinberg::Vst::{
    BusDirection, BusInfo, CString, IAttributeList, IAudioProcessor, IAudioProcessorTrait, IComponent,
    IComponentHandler, IComponentTrait, IEditController, IEditControllerTrait, IProcessContextRequirements,
    IProcessContextRequirementsTrait, IUnitInfo, IUnitInfoTrait, IoMode, MediaType, ParamID, ParamValue, ParameterInfo,
    ProcessData, ProcessModes_, ProcessSetup, ProgramListID, ProgramListInfo, RoutingInfo, SpeakerArrangement,
    String128, TChar, UnitID, UnitInfo,
};
use vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, TBool, TUID, int16, int32, kInvalidArgument, tresult,
    uint32,
};

thread_local! {
    /// Mode of the object that is being made on this thread, for the plug-in inside of it. Not read while audio runs: the
    /// first look of a thread at its own variables may allocate.
    static MAKING: Cell<*const Mode> = const { Cell::new(std::ptr::null()) };
}

/// What a VST3 host says of offline rendering.
#[derive(Default)]
pub(super) struct Mode {
    /// By the last `setupProcessing`.
    set_up: AtomicBool,
    /// By the block that is being processed, or was last.
    block: AtomicBool,
}

impl Mode {
    /// That of the object that is being made on this thread; `None` where the plug-in is no VST3.
    pub fn of_host() -> Option<Arc<Self>> {
        let mode = MAKING.get();
        // SAFETY: `Processor::new` holds it for as long as the pointer is set, and clears the pointer.
        (!mode.is_null()).then(|| unsafe {
            Arc::increment_strong_count(mode);
            Arc::from_raw(mode)
        })
    }

    /// Whether the host renders offline.
    pub fn offline(&self) -> bool {
        self.set_up.load(Relaxed) || self.block.load(Relaxed)
    }
}

#[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
fn is_offline(mode: int32) -> bool {
    mode == ProcessModes_::kOffline as int32
}

/// What a host holds as component, processor and controller in one.
struct Processor {
    wrapper: Wrapper<VrvqPlugin>,
    mode: Arc<Mode>,
}

impl Class for Processor {
    type Interfaces =
        (IComponent, IEditController, IAudioProcessor, IProcessContextRequirements, IUnitInfo, IInfoListener);
}

impl Processor {
    fn new() -> Self {
        let mode = Arc::new(Mode::default());
        MAKING.set(Arc::as_ptr(&mode));
        let wrapper = Wrapper::new();
        MAKING.set(std::ptr::null());
        Self { wrapper, mode }
    }
}

forward! { Processor.wrapper: IAudioProcessorTrait {
    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        // SAFETY: where it isn't null it is the host's set-up, for the time of this call.
        let Some(mode) = (unsafe { setup.as_ref() }).map(|setup| setup.processMode) else { return kInvalidArgument };
        self.mode.set_up.store(is_offline(mode), Relaxed);
        self.mode.block.store(false, Relaxed);
        // SAFETY: passed on as it is.
        unsafe { self.wrapper.setupProcessing(setup) }
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        // SAFETY: where it isn't null it is the host's block, for the time of this call.
        let Some(mode) = (unsafe { data.as_ref() }).map(|data| data.processMode) else { return kInvalidArgument };
        self.mode.block.store(is_offline(mode), Relaxed);
        // SAFETY: passed on as it is.
        unsafe { self.wrapper.process(data) }
    }
}
    setBusArrangements(inputs: *mut SpeakerArrangement, num_ins: int32, outputs: *mut SpeakerArrangement, num_outs: int32) -> tresult;
    getBusArrangement(direction: BusDirection, index: int32, arrangement: *mut SpeakerArrangement) -> tresult;
    canProcessSampleSize(size: int32) -> tresult;
    getLatencySamples() -> uint32;
    setProcessing(state: TBool) -> tresult;
    getTailSamples() -> uint32;
}

forward! { Processor.wrapper: IPluginBaseTrait {}
    initialize(context: *mut FUnknown) -> tresult;
    terminate() -> tresult;
}

forward! { Processor.wrapper: IComponentTrait {}
    setActive(state: TBool) -> tresult;
    getControllerClassId(id: *mut TUID) -> tresult;
    setIoMode(mode: IoMode) -> tresult;
    getBusCount(media: MediaType, direction: BusDirection) -> int32;
    getBusInfo(media: MediaType, direction: BusDirection, index: int32, bus: *mut BusInfo) -> tresult;
    getRoutingInfo(input: *mut RoutingInfo, output: *mut RoutingInfo) -> tresult;
    activateBus(media: MediaType, direction: BusDirection, index: int32, state: TBool) -> tresult;
    setState(state: *mut IBStream) -> tresult;
    getState(state: *mut IBStream) -> tresult;
}

forward! { Processor.wrapper: IEditControllerTrait {
    unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
        // SAFETY: passed on as it is; what comes back is the caller's, and so is what is made of it.
        unsafe {
            let view = self.wrapper.createView(name);
            #[cfg(all(unix, not(target_os = "macos")))]
            let view = view::wrapped(view);
            view
        }
    }
}
    setComponentState(state: *mut IBStream) -> tresult;
    setState(state: *mut IBStream) -> tresult;
    getState(state: *mut IBStream) -> tresult;
    getParameterCount() -> int32;
    getParameterInfo(index: int32, info: *mut ParameterInfo) -> tresult;
    getParamStringByValue(id: ParamID, value: ParamValue, text: *mut String128) -> tresult;
    getParamValueByString(id: ParamID, text: *mut TChar, value: *mut ParamValue) -> tresult;
    normalizedParamToPlain(id: ParamID, value: ParamValue) -> ParamValue;
    plainParamToNormalized(id: ParamID, value: ParamValue) -> ParamValue;
    getParamNormalized(id: ParamID) -> ParamValue;
    setParamNormalized(id: ParamID, value: ParamValue) -> tresult;
    setComponentHandler(handler: *mut IComponentHandler) -> tresult;
}

forward! { Processor.wrapper: IProcessContextRequirementsTrait {}
    getProcessContextRequirements() -> uint32;
}

forward! { Processor.wrapper: IUnitInfoTrait {}
    getUnitCount() -> int32;
    getUnitInfo(index: int32, info: *mut UnitInfo) -> tresult;
    getProgramListCount() -> int32;
    getProgramListInfo(index: int32, info: *mut ProgramListInfo) -> tresult;
    getProgramName(list: ProgramListID, program: int32, name: *mut String128) -> tresult;
    getProgramInfo(list: ProgramListID, program: int32, attribute: CString, value: *mut String128) -> tresult;
    hasProgramPitchNames(list: ProgramListID, program: int32) -> tresult;
    getProgramPitchName(list: ProgramListID, program: int32, pitch: int16, name: *mut String128) -> tresult;
    getSelectedUnit() -> UnitID;
    selectUnit(unit: UnitID) -> tresult;
    getUnitByBus(media: MediaType, direction: BusDirection, bus: int32, channel: int32, unit: *mut UnitID) -> tresult;
    setUnitProgramData(list_or_unit: int32, program: int32, data: *mut IBStream) -> tresult;
}

forward! { Processor.wrapper: IInfoListenerTrait {}
    setChannelContextInfos(list: *mut IAttributeList) -> tresult;
}
