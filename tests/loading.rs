//! The instances of a project that a host opens load their streams all at once.

use std::process::Command;
use std::sync::Barrier;
use vrvq::model::{DecoderStream, EncoderStream, Model};

/// More than one, as only chance brings those that load at once in each other's way.
const PROCESSES: usize = 12;
const STREAMS: usize = 8;

#[test]
fn the_first_streams_of_a_process_load_at_once() {
    for process in 0..PROCESSES {
        let test = ["--exact", "one_process", "--ignored"];
        let output = Command::new(std::env::current_exe().unwrap()).args(test).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "process {process}: {said}");
    }
}

#[test]
#[ignore = "the test above runs it, each time in a process of its own"]
fn one_process() {
    let model = Model::builtin().unwrap();
    let start = Barrier::new(STREAMS);
    std::thread::scope(|scope| {
        for index in 0..STREAMS {
            let (model, start) = (&model, &start);
            scope.spawn(move || {
                start.wait();
                if index % 2 == 0 {
                    EncoderStream::new(model, 1).unwrap();
                } else {
                    DecoderStream::new(model, 1).unwrap();
                }
            });
        }
    });
}
