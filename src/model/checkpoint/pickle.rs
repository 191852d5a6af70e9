//! Pickles as data. Nothing in them is executed: a call that a pickle asks for becomes a [`Node::Call`] with its
//! name and arguments, and that is all.
//!
//! The binary opcodes that PyTorch writes (protocols 2 to 5 of Python's `pickletools`) are read, others refused by
//! name. Values are numbered places in one list, so that neither depth nor cycles of a hostile pickle cost stack or
//! memory beyond some bytes for each of its own.

use super::ImportError;

/// Largest pickle read, in bytes; those of the largest checkpoints have some hundred thousand.
pub(super) const MAX_PICKLE: usize = 4 << 20;

/// Place of a value in its pickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(u32);

/// A value; what it holds it names by place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes,
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function by name.
    Global {
        module: String,
        name: String,
    },
    /// A reference to something beside the pickle: a storage.
    Persistent(Id),
    /// What a class or function would make of its arguments.
    Call {
        callee: Id,
        arguments: Id,
    },
}

/// A pickle, read.
#[derive(Debug)]
pub(super) struct Pickle {
    nodes: Vec<Node>,
    root: Id,
}

impl Pickle {
    /// Reads a pickle.
    ///
    /// # Errors
    /// [`ImportError::Pickle`] with the byte at which it stops to make sense.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImportError> {
        let mut reader = Reader { bytes, at: 0, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: vec![] };
        if bytes.len() > MAX_PICKLE {
            return Err(reader.wrong(format!("it is larger than {MAX_PICKLE} bytes")));
        }
        loop {
            if reader.step()? {
                let root = reader.pop()?;
                return Ok(Self { nodes: reader.nodes, root });
            }
        }
    }

    /// The value that the pickle stands for.
    pub fn root(&self) -> &Node {
        self.get(self.root)
    }

    /// The value at a place of this pickle.
    pub fn get(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The value of a text key in a dictionary; the last one where there are several, as in Python.
    pub fn item(&self, dict: &Node, key: &str) -> Option<&Node> {
        let Node::Dict(items) = dict else { return None };
        let is_key = |id: Id| matches!(self.get(id), Node::Text(text) if text == key);
        items.iter().rev().find(|(name, _)| is_key(*name)).map(|(_, value)| self.get(*value))
    }

    /// The elements of a list or tuple.
    pub fn elements(&self, node: &Node) -> Option<Vec<&Node>> {
        match node {
            Node::List(ids) | Node::Tuple(ids) => Some(ids.iter().map(|id| self.get(*id)).collect()),
            _ => None,
        }
    }

    /// The integers of a list or tuple of such.
    pub fn integers(&self, node: &Node) -> Option<Vec<i64>> {
        let elements = self.elements(node)?;
        elements.into_iter().map(|element| if let Node::Int(value) = element { Some(*value) } else { None }).collect()
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
}

impl Reader<'_> {
    fn wrong(&self, reason: impl Into<String>) -> ImportError {
        ImportError::Pickle { at: self.at, reason: reason.into() }
    }

    fn take(&mut self, length: usize) -> Result<&[u8], ImportError> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else { return Err(self.wrong(format!("it ends where {length} bytes should follow"))) };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], ImportError> {
        let mut number = [0; N];
        number.copy_from_slice(self.take(N)?);
        Ok(number)
    }

    fn length<const N: usize>(&mut self) -> Result<usize, ImportError> {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(&self.number::<N>()?);
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| self.wrong("a length is beyond any memory"))
    }

    fn text(&mut self, length: usize) -> Result<String, ImportError> {
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| self.wrong("a text isn't UTF-8"))
    }

    fn line(&mut self) -> Result<String, ImportError> {
        let rest = &self.bytes[self.at..];
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(self.wrong("a name has no end"));
        };
        let line = self.text(length)?;
        self.at += 1;
        Ok(line)
    }

    fn push(&mut self, node: Node) {
        // The pickle's size bounds their number far below 2^32.
        self.nodes.push(node);
        self.stack.push(Id(self.nodes.len() as u32 - 1));
    }

    fn pop(&mut self) -> Result<Id, ImportError> {
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return Err(self.wrong("it takes a value where there is none"));
        }
        self.stack.pop().ok_or_else(|| self.wrong("it takes a value where there is none"))
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, ImportError> {
        let mut ids = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        ids.reverse();
        Ok(ids)
    }

    /// The values since the last mark.
    fn pop_mark(&mut self) -> Result<Vec<Id>, ImportError> {
        let mark = self.marks.pop().ok_or_else(|| self.wrong("it ends a group that it never began"))?;
        Ok(self.stack.split_off(mark))
    }

    fn pairs(&self, ids: &[Id]) -> Result<Vec<(Id, Id)>, ImportError> {
        if !ids.len().is_multiple_of(2) {
            return Err(self.wrong("a key has no value"));
        }
        Ok(ids.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }

    fn top(&mut self) -> Result<&mut Node, ImportError> {
        let id = self.stack.last().copied().ok_or_else(|| self.wrong("it changes a value where there is none"))?;
        Ok(&mut self.nodes[id.0 as usize])
    }

    fn append(&mut self, ids: Vec<Id>) -> Result<(), ImportError> {
        match self.top()? {
            Node::List(list) => list.extend(ids),
            // Sets and the like are of no use here.
            Node::Call { .. } => {}
            _ => return Err(self.wrong("it appends to what is no list")),
        }
        Ok(())
    }

    fn set_items(&mut self, ids: Vec<Id>) -> Result<(), ImportError> {
        let pairs = self.pairs(&ids)?;
        match self.top()? {
            Node::Dict(items) => items.extend(pairs),
            Node::Call { .. } => {}
            _ => return Err(self.wrong("it sets items of what is no dictionary")),
        }
        Ok(())
    }

    /// A call, but for an ordered dictionary without arguments, which is one.
    fn call(&mut self) -> Result<(), ImportError> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let is_dict = matches!(&self.nodes[callee.0 as usize],
            Node::Global { module, name } if module == "collections" && name == "OrderedDict");
        let is_empty = matches!(&self.nodes[arguments.0 as usize], Node::Tuple(ids) if ids.is_empty());
        self.push(if is_dict && is_empty { Node::Dict(Vec::new()) } else { Node::Call { callee, arguments } });
        Ok(())
    }

    fn remember(&mut self, slot: usize) -> Result<(), ImportError> {
        // No pickle of some length can have more values to remember than bytes.
        if slot > self.bytes.len() {
            return Err(self.wrong(format!("it remembers a value as number {slot}, more than it can hold")));
        }
        let id = *self.stack.last().ok_or_else(|| self.wrong("it remembers a value where there is none"))?;
        if self.memo.len() <= slot {
            self.memo.resize(slot + 1, None);
        }
        self.memo[slot] = Some(id);
        Ok(())
    }

    fn recall(&mut self, slot: usize) -> Result<(), ImportError> {
        let id = self.memo.get(slot).copied().flatten();
        let id = id.ok_or_else(|| self.wrong(format!("it recalls value {slot}, which it never remembered")))?;
        self.stack.push(id);
        Ok(())
    }

    fn long(&mut self, length: usize) -> Result<(), ImportError> {
        if length > 8 {
            return Err(self.wrong(format!("an integer has {length} bytes")));
        }
        let bytes = self.take(length)?;
        let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut wide = [sign; 8];
        wide[..length].copy_from_slice(bytes);
        self.push(Node::Int(i64::from_le_bytes(wide)));
        Ok(())
    }

    fn bytes_value(&mut self, length: usize) -> Result<(), ImportError> {
        self.take(length)?;
        self.push(Node::Bytes);
        Ok(())
    }

    fn text_value(&mut self, length: usize) -> Result<(), ImportError> {
        let text = self.text(length)?;
        self.push(Node::Text(text));
        Ok(())
    }

    /// Reads one opcode; true at the end.
    fn step(&mut self) -> Result<bool, ImportError> {
        let [opcode] = self.number()?;
        match opcode {
            // PROTO, FRAME
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'N' => self.push(Node::None),
            0x88 => self.push(Node::Bool(true)),
            0x89 => self.push(Node::Bool(false)),
            // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
            b'J' => {
                let value = i32::from_le_bytes(self.number()?);
                self.push(Node::Int(value.into()));
            }
            b'K' => {
                let [value] = self.number()?;
                self.push(Node::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.number()?);
                self.push(Node::Int(value.into()));
            }
            0x8a => {
                let length = self.length::<1>()?;
                self.long(length)?;
            }
            0x8b => {
                let length = self.length::<4>()?;
                self.long(length)?;
            }
            b'G' => {
                let value = f64::from_be_bytes(self.number()?);
                self.push(Node::Float(value));
            }
            // Texts and bytes of 1, 4 or 8 bytes of length
            0x8c | b'U' => {
                let length = self.length::<1>()?;
                self.text_value(length)?;
            }
            b'X' | b'T' => {
                let length = self.length::<4>()?;
                self.text_value(length)?;
            }
            0x8d => {
                let length = self.length::<8>()?;
                self.text_value(length)?;
            }
            b'C' => {
                let length = self.length::<1>()?;
                self.bytes_value(length)?;
            }
            b'B' => {
                let length = self.length::<4>()?;
                self.bytes_value(length)?;
            }
            0x8e => {
                let length = self.length::<8>()?;
                self.bytes_value(length)?;
            }
            // Containers
            b']' => self.push(Node::List(Vec::new())),
            b'}' => self.push(Node::Dict(Vec::new())),
            b')' => self.push(Node::Tuple(Vec::new())),
            b'(' => self.marks.push(self.stack.len()),
            0x85..=0x87 => {
                let ids = self.pop_many(usize::from(opcode - 0x84))?;
                self.push(Node::Tuple(ids));
            }
            b't' => {
                let ids = self.pop_mark()?;
                self.push(Node::Tuple(ids));
            }
            b'l' => {
                let ids = self.pop_mark()?;
                self.push(Node::List(ids));
            }
            b'd' => {
                let ids = self.pop_mark()?;
                let pairs = self.pairs(&ids)?;
                self.push(Node::Dict(pairs));
            }
            b'a' => {
                let id = self.pop()?;
                self.append(vec![id])?;
            }
            b'e' => {
                let ids = self.pop_mark()?;
                self.append(ids)?;
            }
            b's' => {
                let ids = self.pop_many(2)?;
                self.set_items(ids)?;
            }
            b'u' => {
                let ids = self.pop_mark()?;
                self.set_items(ids)?;
            }
            // Stack and memory
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let id = self.pop()?;
                self.stack.extend([id, id]);
            }
            b'q' => {
                let slot = self.length::<1>()?;
                self.remember(slot)?;
            }
            b'r' => {
                let slot = self.length::<4>()?;
                self.remember(slot)?;
            }
            0x94 => self.remember(self.memo.len())?,
            b'h' => {
                let slot = self.length::<1>()?;
                self.recall(slot)?;
            }
            b'j' => {
                let slot = self.length::<4>()?;
                self.recall(slot)?;
            }
            // GLOBAL, STACK_GLOBAL, REDUCE, NEWOBJ, BUILD, BINPERSID
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Node::Global { module, name });
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text =
                    |id: Id| if let Node::Text(text) = &self.nodes[id.0 as usize] { Some(text.clone()) } else { None };
                let (Some(module), Some(name)) = (text(module), text(name)) else {
                    return Err(self.wrong("the name of a class isn't a text"));
                };
                self.push(Node::Global { module, name });
            }
            b'R' | 0x81 => self.call()?,
            b'b' => drop(self.pop()?),
            b'Q' => {
                let id = self.pop()?;
                self.push(Node::Persistent(id));
            }
            b'.' => return Ok(true),
            other => return Err(self.wrong(format!("opcode 0x{other:02x} has no place in a checkpoint"))),
        }
        Ok(false)
    }
}
