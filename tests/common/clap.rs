//! A headless CLAP host, as small as clack-host lets it be: one instance of the plug-in, in this process.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl, PluginGui};
use clack_extensions::latency::{HostLatency, HostLatencyImpl, PluginLatency};
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// What the plug-in asked its host for.
#[derive(Default)]
pub struct Asked {
    pub restarts: AtomicU32,
    pub latency_changes: AtomicU32,
}

pub struct Shared(Arc<Asked>);

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {
        self.0.restarts.fetch_add(1, SeqCst);
    }

    fn request_process(&self) {}

    fn request_callback(&self) {}
}

/// The window of the host takes any size, and is always there.
impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _: GuiSize) -> Result<(), HostError> {
        Ok(())
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _: bool) {}
}

pub struct Main(Arc<Asked>);

impl MainThreadHandler<'_> for Main {}

impl HostLatencyImpl for Main {
    fn changed(&self) {
        self.0.latency_changes.fetch_add(1, SeqCst);
    }
}

pub struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = Main;
    type AudioProcessor<'a> = ();

    fn declare_extensions(extensions: &mut HostExtensions<Self>, _shared: &Self::Shared<'_>) {
        extensions.register::<HostLatency>().register::<HostGui>();
    }
}

/// One parameter as the host sees it.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub id: ClapId,
    pub name: String,
    pub flags: ParamInfoFlags,
    pub range: std::ops::RangeInclusive<f64>,
    pub default: f64,
}

/// A parameter change at a sample of the block it is sent with: name, the text a user would type.
pub type Change<'a> = (usize, &'a str, &'a str);

/// One instance, stereo and in real time until told otherwise.
pub struct Host {
    instance: PluginInstance<Handlers>,
    processor: Option<StartedPluginAudioProcessor<Handlers>>,
    pub asked: Arc<Asked>,
    parameters: Vec<Parameter>,
    channels: usize,
    max_block: usize,
}

impl Host {
    pub fn new() -> Self {
        // SAFETY: the descriptor is the one this very crate exports.
        let entry = unsafe { PluginEntry::load_from_raw(&vrvq::clap_entry, c"vrvq.clap") }.unwrap();
        let factory = entry.get_plugin_factory().unwrap();
        let plugin = factory.plugin_descriptors().next().unwrap();
        assert_eq!(plugin.id().unwrap(), c"org.vrvq.live");
        assert_eq!(plugin.name().unwrap(), c"VRVQ live");
        let host = HostInfo::new("tests", "tests", "", "1").unwrap();
        let asked = Arc::new(Asked::default());
        let (shared, main) = (asked.clone(), asked.clone());
        let mut instance =
            PluginInstance::new(|()| Shared(shared), |_| Main(main), &entry, c"org.vrvq.live", &host).unwrap();
        let handle = instance.plugin_handle();
        let extension: PluginParams = handle.get_extension().unwrap();
        let mut buffer = ParamInfoBuffer::new();
        let parameters = (0..extension.count(&handle))
            .map(|index| {
                let info = extension.get_info(&handle, index, &mut buffer).unwrap();
                Parameter {
                    id: info.id,
                    name: String::from_utf8(info.name.to_vec()).unwrap(),
                    flags: info.flags,
                    range: info.min_value..=info.max_value,
                    default: info.default_value,
                }
            })
            .collect();
        Self { instance, processor: None, asked, parameters, channels: 2, max_block: 0 }
    }

    /// Ready to process: offline rendering, `channels`, `rate` in Hz, blocks of up to `max_block`.
    pub fn offline(channels: usize, rate: f64, max_block: usize) -> Self {
        let mut host = Self::new();
        host.render(RenderMode::Offline);
        host.select_channels(channels);
        host.activate(rate, max_block);
        host
    }

    pub fn render(&mut self, mode: RenderMode) {
        let handle = self.instance.plugin_handle();
        let extension: PluginRender = handle.get_extension().unwrap();
        extension.set(&handle, mode).unwrap();
    }

    /// Chooses the layout with this many channels.
    pub fn select_channels(&mut self, channels: usize) {
        let handle = self.instance.plugin_handle();
        let extension: PluginAudioPortsConfig = handle.get_extension().unwrap();
        let mut buffer = AudioPortsConfigBuffer::new();
        let id = (0..extension.count(&handle))
            .find_map(|index| {
                let layout = extension.get(&handle, index, &mut buffer)?;
                (layout.main_input?.channel_count as usize == channels).then_some(layout.id)
            })
            .expect("a layout with as many channels");
        extension.select(&handle, id).unwrap();
        self.channels = channels;
    }

    pub fn activate(&mut self, rate: f64, max_block: usize) {
        let configuration =
            PluginAudioConfiguration { sample_rate: rate, min_frames_count: 1, max_frames_count: max_block as u32 };
        let stopped = self.instance.activate(|_, _| (), configuration).unwrap();
        self.processor = Some(stopped.start_processing().unwrap());
        self.max_block = max_block;
    }

    /// Stops processing and deactivates.
    pub fn deactivate(&mut self) {
        let processor = self.processor.take().expect("an active plug-in");
        self.instance.deactivate(processor.stop_processing());
    }

    /// The processor, for an audio thread of its own; give it back with [`Self::return_processor`].
    pub fn take_processor(&mut self) -> StartedPluginAudioProcessor<Handlers> {
        self.processor.take().expect("an active plug-in")
    }

    pub fn return_processor(&mut self, processor: StartedPluginAudioProcessor<Handlers>) {
        self.processor = Some(processor);
    }

    pub fn reset(&mut self) {
        self.processor.as_mut().expect("an active plug-in").reset();
    }

    /// In samples.
    pub fn latency(&mut self) -> usize {
        let handle = self.instance.plugin_handle();
        let extension: PluginLatency = handle.get_extension().unwrap();
        extension.get(&handle) as usize
    }

    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameter(&self, name: &str) -> ClapId {
        self.parameters.iter().find(|p| p.name == name).unwrap_or_else(|| panic!("no parameter {name}")).id
    }

    /// The value that the plug-in makes of a text.
    pub fn value_of(&mut self, name: &str, text: &str) -> f64 {
        let id = self.parameter(name);
        let handle = self.instance.plugin_handle();
        let extension: PluginParams = handle.get_extension().unwrap();
        let text = CString::new(text).unwrap();
        extension.text_to_value(&handle, id, &text).unwrap_or_else(|| panic!("{name} refuses {text:?}"))
    }

    /// What the plug-in shows for a parameter's present value.
    pub fn shown(&mut self, name: &str) -> String {
        let id = self.parameter(name);
        let handle = self.instance.plugin_handle();
        let extension: PluginParams = handle.get_extension().unwrap();
        let value = extension.get_value(&handle, id).unwrap();
        let mut buffer = [0; 64];
        let text = extension.value_to_text(&handle, id, value, &mut buffer).unwrap();
        String::from_utf8(text.to_vec()).unwrap()
    }

    fn events(&mut self, changes: &[Change]) -> EventBuffer {
        let mut events = EventBuffer::with_capacity(changes.len().max(1));
        for &(at, name, text) in changes {
            let (id, value) = (self.parameter(name), self.value_of(name, text));
            events.push(&ParamValueEvent::new(at as u32, id, Pckn::match_all(), value));
        }
        events
    }

    /// Changes parameters outside of processing.
    pub fn set(&mut self, changes: &[(&str, &str)]) {
        let changes: Vec<Change> = changes.iter().map(|&(name, text)| (0, name, text)).collect();
        let events = self.events(&changes);
        let (input, mut output) = (events.as_input(), OutputEvents::void());
        match &mut self.processor {
            Some(processor) => {
                let mut handle = processor.plugin_handle();
                let extension: PluginParams = handle.get_extension().unwrap();
                extension.flush_active(&mut handle, &input, &mut output);
            }
            None => {
                let mut handle = self.instance.inactive_plugin_handle().unwrap();
                let extension: PluginParams = handle.get_extension().unwrap();
                extension.flush(&mut handle, &input, &mut output);
            }
        }
    }

    pub fn save(&mut self) -> Vec<u8> {
        let handle = self.instance.plugin_handle();
        let extension: PluginState = handle.get_extension().unwrap();
        let mut state = Vec::new();
        extension.save(&handle, &mut state).unwrap();
        state
    }

    /// Whether the plug-in took the state.
    pub fn load(&mut self, state: &[u8]) -> bool {
        let handle = self.instance.plugin_handle();
        let extension: PluginState = handle.get_extension().unwrap();
        extension.load(&handle, &mut std::io::Cursor::new(state)).is_ok()
    }

    /// Sends `audio`, one vector a channel, through in blocks of the given lengths in turn.
    pub fn run(&mut self, audio: &[Vec<f32>], blocks: &[usize]) -> Vec<Vec<f32>> {
        self.run_with(audio, blocks, &[])
    }

    /// [`Self::run`] with parameter changes at samples of the whole audio, in order; on a thread of its own, as audio is.
    pub fn run_with(&mut self, audio: &[Vec<f32>], blocks: &[usize], changes: &[Change]) -> Vec<Vec<f32>> {
        assert_eq!(audio.len(), self.channels);
        let (mut output, mut lengths) = (audio.to_vec(), blocks.iter().cycle());
        let (mut from, end) = (0, audio[0].len());
        let mut blocks_due = Vec::new();
        while from < end {
            let to = (from + lengths.next().unwrap()).min(end);
            assert!(to - from <= self.max_block, "a block longer than agreed");
            let due: Vec<Change> = changes
                .iter()
                .filter(|(at, ..)| (from..to).contains(at))
                .map(|&(at, name, text)| (at - from, name, text))
                .collect();
            blocks_due.push((from..to, self.events(&due)));
            from = to;
        }
        let processor = self.processor.as_mut().expect("an active plug-in");
        std::thread::scope(|scope| {
            let output = &mut output;
            scope.spawn(move || {
                for (range, events) in blocks_due {
                    process(processor, audio, output, range, &events);
                }
            });
        });
        output
    }

    /// Its window's extension, with the instance that it is called on.
    pub fn gui(&mut self) -> (PluginGui, PluginMainThreadHandle<'_>) {
        let handle = self.instance.plugin_handle();
        (handle.get_extension().unwrap(), handle)
    }

    /// What the plug-in asked for is done on the main thread.
    pub fn call_back(&mut self) {
        self.instance.call_on_main_thread_callback();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.processor.is_some() {
            self.deactivate();
        }
    }
}

/// One block: `range` of `audio` into `range` of `output`, in buffers that aren't the same.
pub fn process(
    processor: &mut StartedPluginAudioProcessor<Handlers>,
    audio: &[Vec<f32>],
    output: &mut [Vec<f32>],
    range: std::ops::Range<usize>,
    events: &EventBuffer,
) {
    let mut input: Vec<Vec<f32>> = audio.iter().map(|channel| channel[range.clone()].to_vec()).collect();
    let (mut inputs, mut outputs) = (AudioPorts::with_capacity(2, 1), AudioPorts::with_capacity(2, 1));
    let inputs = inputs.with_input_buffers([AudioPortBuffer {
        latency: 0,
        channels: AudioPortBufferType::f32_input_only(input.iter_mut().map(InputChannel::variable)),
    }]);
    let mut outputs = outputs.with_output_buffers([AudioPortBuffer {
        latency: 0,
        channels: AudioPortBufferType::f32_output_only(output.iter_mut().map(|c| &mut c[range.clone()])),
    }]);
    processor
        .process(&inputs, &mut outputs, &events.as_input(), &mut OutputEvents::void(), None, None)
        .expect("a block is processed");
}
