//! The program's operators ([`graph::Operators`]) on the processor, in ONNX Runtime's sessions and in the built-in runtime's plans.
//!
//! Both multiply by weights in single precision: they would widen them when a graph is loaded, and a live hop would
//! read twice the bytes. (ONNX Runtime's `MatMulNBits`, with eight bits a weight, gives other codes on each processor.) And each of
//! a graph's steps costs more than these small ones compute.
//!
//! ONNX Runtime looks whether it knows an operator's domain and then adds it, without a lock: of sessions that load at once, the
//! process's first, some fail with "the domain is already exist" (its issue 27089). So the first one loads alone.

mod books;
mod branch;
mod earlier;
mod frames;
mod instructions;
mod panels;
#[cfg(feature = "tract")]
mod planned;
mod postfilter;
mod taps;
mod tensors;
mod whole;

use crate::model::graph::{self, Block, Compand, DOMAIN, Filter, INDEX, Lookup, Past, Postfilter, Product};
use books::Books;
use branch::Branch;
use instructions::Instructions;
use ort::operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput};
use ort::session::builder::SessionBuilder;
use ort::value::TensorElementType;
use panels::Panels;
use postfilter::Filtering;
use std::sync::{Arc, Mutex, PoisonError};
use taps::Taps;
use tensors::Run;

/// Whether a session of this process has brought [`DOMAIN`] to ONNX Runtime.
static KNOWN: Mutex<bool> = Mutex::new(false);

/// Whether this processor can multiply by halves.
pub(super) fn reads_halves() -> bool {
    !Instructions::all().is_empty()
}

/// What the operators of a graph need, once for all its sessions.
pub(super) struct Operators {
    panels: Vec<Arc<Panels>>,
    taps: Vec<Arc<Taps>>,
    books: Vec<Arc<Books>>,
    pasts: Vec<Arc<Past>>,
    compands: Vec<Arc<Compand>>,
    branches: Vec<Arc<Branch>>,
    filterings: Vec<Arc<Filtering>>,
}

impl Operators {
    /// Products only where this processor [`reads_halves`].
    pub fn new(of: graph::Operators) -> Self {
        let panels = |instructions| Panels::of(&of.products, instructions).into_iter().map(Arc::new).collect();
        let panels: Vec<_> = Instructions::all().first().copied().map(panels).unwrap_or_default();
        let taps: Vec<_> = of.filters.into_iter().map(|filter| Arc::new(Taps::new(filter))).collect();
        let branch = |block: &Block| {
            let product = |index: usize| panels[index].clone();
            Arc::new(Branch {
                taps: taps[block.filter].clone(),
                widen: product(block.widen),
                narrow: product(block.narrow),
                past: block.past,
            })
        };
        let branches = of.blocks.iter().map(branch).collect();
        let filtering = |postfilter| Filtering::new(postfilter, &panels).map(Arc::new);
        // As many as there are: each names products that were found beside it.
        let filterings = of.postfilters.into_iter().filter_map(filtering).collect();
        let books = of.lookups.iter().map(|lookup| Arc::new(Books::new(lookup))).collect();
        let pasts = of.pasts.into_iter().map(Arc::new).collect();
        let compands = of.compands.into_iter().map(Arc::new).collect();
        Self { panels, taps, books, pasts, compands, branches, filterings }
    }

    pub fn is_empty(&self) -> bool {
        let Self { panels, taps, books, pasts, compands, branches: _, filterings: _ } = self;
        [panels.len(), taps.len(), books.len(), pasts.len(), compands.len()] == [0; 5]
    }

    /// Runs `load`, which makes a session that has them: the process's first such alone.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn introduce<T>(&self, load: impl FnOnce() -> ort::Result<T>) -> ort::Result<T> {
        if self.is_empty() {
            return load();
        }
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if *known {
            drop(known);
            return load();
        }
        let session = load()?;
        *known = true;
        Ok(session)
    }

    /// A session that has them.
    pub fn share(&self, builder: SessionBuilder) -> ort::Result<SessionBuilder> {
        if self.is_empty() {
            return Ok(builder);
        }
        let domain = OperatorDomain::new(DOMAIN)?
            .add(Own { name: Product::NAME, all: self.panels.clone() })?
            .add(Own { name: Filter::NAME, all: self.taps.clone() })?
            .add(Own { name: Lookup::NAME, all: self.books.clone() })?
            .add(Own { name: Past::NAME, all: self.pasts.clone() })?
            .add(Own { name: Compand::NAME, all: self.compands.clone() })?
            .add(Own { name: Block::NAME, all: self.branches.clone() })?
            .add(Own { name: Postfilter::NAME, all: self.filterings.clone() })?;
        Ok(builder.with_operators(domain)?)
    }
}

#[cfg(feature = "tract")]
impl Operators {
    /// The operator `name` of this `index`, for the built-in runtime.
    pub fn planned(&self, name: &str, index: usize) -> Option<planned::Expanded> {
        let Self { panels, taps, books, pasts, compands, branches, filterings } = self;
        match name {
            Product::NAME => planned::of(Product::NAME, panels, index),
            Filter::NAME => planned::of(Filter::NAME, taps, index),
            Lookup::NAME => planned::of(Lookup::NAME, books, index),
            Past::NAME => planned::of(Past::NAME, pasts, index),
            Compand::NAME => planned::of(Compand::NAME, compands, index),
            Block::NAME => planned::of(Block::NAME, branches, index),
            Postfilter::NAME => planned::of(Postfilter::NAME, filterings, index),
            _ => None,
        }
    }
}

/// A dimension: a number, or one that isn't known yet.
trait Size: Clone {
    fn of(size: usize) -> Self;

    fn plus(&self, by: isize) -> Self;
}

impl Size for i64 {
    fn of(size: usize) -> Self {
        size as i64
    }

    fn plus(&self, by: isize) -> Self {
        self + by as i64
    }
}

/// What an operator does.
trait Step: Send + Sync {
    const INPUTS: &[TensorElementType];
    const OUTPUTS: usize = 1;

    /// Dimensions of what inputs of the dimensions `inputs` make, if they fit; `None` where there are too few of them.
    fn shapes<D: Size>(&self, inputs: &[&[D]]) -> Option<Vec<Vec<D>>>;

    fn run(&self, run: Run) -> ort::Result<()>;
}

/// An operator of this name, by its index.
struct Own<T> {
    name: &'static str,
    all: Vec<Arc<T>>,
}

impl<T: Step + 'static> Operator for Own<T> {
    type Kernel<'attr> = One<T>;

    fn name(&self) -> &str {
        self.name
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        T::INPUTS.iter().map(|&kind| OperatorInput::required(kind))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        (0..T::OUTPUTS).map(|_| OperatorOutput::required(TensorElementType::Float32))
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> ort::Result<One<T>> {
        let index: Option<i64> = context.get(INDEX);
        let one = index.and_then(|index| self.all.get(usize::try_from(index).ok()?));
        one.cloned().map(One).ok_or_else(|| ort::Error::new(format!("no {} {index:?}", self.name)))
    }
}

struct One<T>(Arc<T>);

impl<T: Step> Kernel for One<T> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        self.0.run(Run::Called(context))
    }
}
