//! A graph in the runtime compiled in: made once, for as many sessions as there are.
//!
//! `ort-tract` gives the types of [`ort`] for values, but none of the program's operators to a graph, and each of its sessions
//! reads the graph anew. So graphs are given to tract itself: with the operators a mono hop takes a third of the time
//! (`docs/performance.md`), and all sessions share one plan with its weights.

use super::kept::Kept;
use super::operators::{Operators, reads_halves};
use crate::model::graph;
use ort::value::{DynValue, Tensor as Value, TensorElementType};
use std::collections::HashMap;
use std::sync::Arc;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::model::{TypedSimplePlan, TypedSimpleState};

/// See the module.
pub struct Plan {
    plan: Arc<TypedSimplePlan>,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

/// What one of several runs at once has for itself.
pub struct Planned {
    of: Arc<TypedSimplePlan>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// None while it runs, so that what a run that failed leaves behind goes with it.
    state: Option<TypedSimpleState>,
}

impl Plan {
    /// That of the graph `bytes`; with `own` the program's operators take the place of steps of it, where they can.
    ///
    /// # Errors
    /// What tract says of the graph.
    pub fn of(bytes: &[u8], own: bool) -> ort::Result<Self> {
        let with_own = own.then(|| graph::own_steps(bytes, reads_halves())).flatten();
        match with_own {
            Some((bytes, operators, steps)) => Self::read(&bytes, &Operators::new(operators), &steps),
            None => Self::read(bytes, &Operators::new(graph::Operators::default()), &[]),
        }
        .map_err(|error| ort::Error::new(format!("{error:#}")))
    }

    fn read(mut bytes: &[u8], operators: &Operators, steps: &[graph::OwnStep]) -> TractResult<Self> {
        let onnx = tract_onnx::onnx();
        let proto = onnx.proto_model_for_read(&mut bytes)?;
        let mut parsed = onnx.parse(&proto, None)?;
        if let Some(name) = parsed.unresolved_inputs.first() {
            return Err(TractError::msg(format!("nothing makes its value {name}")));
        }
        for step in steps {
            let operator = operators.planned(&step.name, step.index);
            let place = parsed.outlets_by_name.get(&step.result);
            let (Some(operator), Some(place)) = (operator, place) else {
                return Err(TractError::msg(format!("no {} {}", step.name, step.index)));
            };
            parsed.model.nodes[place.node].op = operator;
        }
        let proto = proto.graph.unwrap_or_default();
        let outputs = proto.output.into_iter().map(|output| output.name).collect();
        let model = parsed.model.into_optimized()?;
        let inputs = model.input_outlets()?.iter().map(|outlet| model.node(outlet.node).name.clone()).collect();
        Ok(Self { plan: TypedSimplePlan::new(model)?, inputs, outputs })
    }

    /// One of its sessions.
    pub fn session(&self) -> Planned {
        Planned { of: self.plan.clone(), inputs: self.inputs.clone(), outputs: self.outputs.clone(), state: None }
    }
}

impl Planned {
    /// Inputs in single precision.
    pub fn floats(&self) -> Vec<String> {
        let model = self.of.model();
        let is_float = |at: usize| model.input_fact(at).is_ok_and(|fact| fact.datum_type == f32::datum_type());
        self.inputs.iter().enumerate().filter(|(at, _)| is_float(*at)).map(|(_, name)| name.clone()).collect()
    }

    /// One run.
    ///
    /// # Errors
    /// What tract says of it.
    pub fn run(&mut self, inputs: &[(&'static str, &DynValue)]) -> ort::Result<Vec<(String, Kept)>> {
        let mut given: HashMap<&str, &DynValue> = inputs.iter().copied().collect();
        let all = self.inputs.iter().map(|name| {
            let value = given.remove(name.as_str());
            to_tensor(value.ok_or_else(|| ort::Error::new(format!("it takes {name}")))?)
        });
        let all = all.collect::<ort::Result<TVec<TValue>>>()?;
        let said = |error: TractError| ort::Error::new(format!("{error:#}"));
        let mut state = match self.state.take() {
            Some(state) => state,
            None => self.of.spawn().map_err(said)?,
        };
        let made = state.run(all).map_err(said)?;
        self.state = Some(state);
        let made = self.outputs.iter().zip(made);
        made.map(|(name, value)| Ok((name.clone(), Kept::here(from_tensor(&value)?)))).collect()
    }
}

fn to_tensor(value: &DynValue) -> ort::Result<TValue> {
    let (shape, tensor) = match value.dtype().tensor_type() {
        Some(TensorElementType::Int64) => {
            let (shape, values) = value.try_extract_tensor::<i64>()?;
            (shape, Tensor::from_shape(&[values.len()], values))
        }
        _ => {
            let (shape, values) = value.try_extract_tensor::<f32>()?;
            (shape, Tensor::from_shape(&[values.len()], values))
        }
    };
    let shape: TVec<usize> = shape.iter().map(|&size| size as usize).collect();
    let tensor = tensor.and_then(|tensor| tensor.into_shape(&shape));
    Ok(tensor.map_err(|error| ort::Error::new(error.to_string()))?.into())
}

fn from_tensor(tensor: &Tensor) -> ort::Result<DynValue> {
    let shape = tensor.shape().to_vec();
    let Some(plain) = tensor.as_plain_ram() else { return Err(ort::Error::new("it made what is no tensor")) };
    if let Ok(values) = plain.as_slice::<f32>() {
        return Ok(Value::from_array((shape, values.to_vec()))?.into_dyn());
    }
    let values = plain.as_slice::<i64>().map_err(|error| ort::Error::new(error.to_string()))?;
    Ok(Value::from_array((shape, values.to_vec()))?.into_dyn())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Model, runtime};
    use tract_onnx::tract_hir::internal::DimLike;

    const STREAMS: usize = 2;
    const HOPS: usize = 3;

    /// Values for all inputs of a graph of the bundled model.
    fn inputs(plan: &Plan) -> Vec<(&'static str, DynValue)> {
        let mut random = fastrand::Rng::with_seed(9);
        let symbols = [("batch", STREAMS), ("hops", HOPS)];
        let model = plan.plan.model();
        let of = |(at, name): (usize, &String)| {
            let fact = model.input_fact(at).unwrap();
            let size = |size: &TDim| {
                let known = symbols.iter().find(|(name, _)| size.to_string() == *name);
                known.map_or_else(|| size.to_usize().unwrap(), |(_, size)| *size)
            };
            let shape: Vec<usize> = fact.shape.iter().map(size).collect();
            let count: usize = shape.iter().product();
            match name.as_str() {
                "audio" | "state" => {
                    let values: Vec<f32> = (0..count).map(|_| random.f32() - 0.5).collect();
                    let name = if name == "audio" { "audio" } else { "state" };
                    (name, Value::from_array((shape, values)).unwrap().into_dyn())
                }
                "codes" | "count" => {
                    let (name, most) = if name == "codes" { ("codes", 1023) } else { ("count", 8) };
                    let values: Vec<i64> = (0..count).map(|_| random.i64(1..=most)).collect();
                    (name, Value::from_array((shape, values)).unwrap().into_dyn())
                }
                name => panic!("{name} is new"),
            }
        };
        plan.inputs.iter().enumerate().map(of).collect()
    }

    fn run(planned: &mut Planned, inputs: &[(&'static str, DynValue)]) -> ort::Result<Vec<(String, Vec<f32>)>> {
        let inputs: Vec<_> = inputs.iter().map(|(name, value)| (*name, value)).collect();
        let values = |(name, value): (String, Kept)| {
            let floats = value.try_extract_tensor::<f32>().map(|(_, values)| values.to_vec());
            floats.map(|values| (name, values))
        };
        planned.run(&inputs)?.into_iter().map(values).collect()
    }

    #[test]
    fn the_programs_operators_make_what_the_steps_in_their_place_would() {
        runtime().unwrap();
        let model = Model::builtin().unwrap();
        for part in [&model.encoder, &model.decoder] {
            let [own, plain] = [true, false].map(|own| Plan::of(part.bytes(), own).unwrap());
            let steps = |plan: &Plan| plan.plan.order_without_consts().len();
            assert!(steps(&own) * 3 < steps(&plain), "{} of {} steps are left", steps(&own), steps(&plain));
            let inputs = inputs(&own);
            let [own, plain] = [own, plain].map(|plan| run(&mut plan.session(), &inputs).unwrap());
            assert_eq!(own.len(), plain.len());
            for ((name, own), (other, plain)) in own.iter().zip(&plain) {
                assert_eq!((name, own.len()), (other, plain.len()));
                let largest = plain.iter().fold(0f32, |largest, value| largest.max(value.abs()));
                let off = own.iter().zip(plain).fold(0f32, |off, (own, plain)| off.max((own - plain).abs()));
                assert!(largest > 0.0 && off <= 1e-4 * largest, "{name}: {off} off, of {largest}");
            }
        }
    }

    #[test]
    fn sessions_share_their_plan_and_outlive_a_run_that_fails() {
        runtime().unwrap();
        let model = Model::builtin().unwrap();
        let plan = Plan::of(model.encoder.bytes(), true).unwrap();
        let [mut one, mut other] = [plan.session(), plan.session()];
        assert!(Arc::ptr_eq(&one.of, &other.of));
        let inputs = inputs(&plan);
        let made = run(&mut one, &inputs).unwrap();
        assert!(run(&mut one, &inputs[..1]).is_err(), "an input is missing");
        let short = Value::from_array(([STREAMS, 5], vec![0.0f32; STREAMS * 5])).unwrap().into_dyn();
        let others = inputs.iter().filter(|(name, _)| *name != "state").map(|(name, value)| (*name, value));
        let with_short: Vec<_> = others.chain([("state", &short)]).collect();
        assert!(one.run(&with_short).is_err(), "a state of other dimensions");
        assert_eq!(run(&mut one, &inputs).unwrap(), made);
        assert_eq!(run(&mut other, &inputs).unwrap(), made);
    }

    #[test]
    fn what_is_no_graph_is_told() {
        runtime().unwrap();
        assert!(Plan::of(b"no graph", true).is_err());
        assert!(Plan::of(&graph::probe(), true).is_ok(), "nothing in it is the program's");
    }
}
