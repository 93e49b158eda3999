//! Whether bytes are a value of an Avro schema, and of nothing more or less.
//!
//! arrow-avro reads any union branch but the first as the second, any boolean byte but 0 as true, and counts forged
//! items that take no bytes up to two thousand million. The check here is exact, allocates nothing, takes no more steps
//! than the body has bytes (and a few thousand), and names the field at fault.
//! Avro 1.11, "Binary encoding".

use hashbrown::HashMap;
use serde_json::Value;

const MAX_DEPTH: usize = 64;
/// Array items without bytes (nulls, empty records) that a record may have.
const MAX_EMPTY_ITEMS: u64 = 4096;

/// A schema, as far as the length of its values goes.
#[derive(Debug, Clone)]
enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Fixed(usize),
    Bytes,
    Text,
    Enum(usize),
    Array(Box<Kind>),
    Map(Box<Kind>),
    Union(Vec<Kind>),
    Record(usize),
}

/// A record's schema, compiled for checking.
#[derive(Debug)]
pub(super) struct Shape {
    root: Kind,
    /// Records by number, since a schema may refer to itself: fields with their names.
    records: Vec<Vec<(String, Kind)>>,
}

impl Shape {
    /// The shape of an Avro schema; fails on what is none.
    pub(super) fn of(schema: &Value) -> Result<Self, String> {
        let mut compiler = Compiler::default();
        let root = compiler.kind(schema, "", 0)?;
        Ok(Self { root, records: compiler.records })
    }

    /// Whether `body` is exactly one value; `Err` says where it stops being one.
    pub(super) fn check(&self, body: &[u8]) -> Result<(), String> {
        let mut walk =
            Walk { records: &self.records, rest: body, items: body.len() as u64 + MAX_EMPTY_ITEMS };
        walk.value(&self.root, 0)
            .map_err(|e| format!("{e}, at byte {} of {}", body.len() - walk.rest.len(), body.len()))?;
        match walk.rest.len() {
            0 => Ok(()),
            n => Err(format!("{n} of {} bytes are left over", body.len())),
        }
    }
}

#[derive(Default)]
struct Compiler {
    records: Vec<Vec<(String, Kind)>>,
    named: HashMap<String, Kind>,
}

impl Compiler {
    fn kind(&mut self, schema: &Value, namespace: &str, depth: usize) -> Result<Kind, String> {
        if depth > MAX_DEPTH {
            return Err("its types are nested too deeply".into());
        }
        match schema {
            Value::String(name) => self.by_name(name, namespace),
            Value::Array(branches) => {
                let kinds: Result<_, _> =
                    branches.iter().map(|b| self.kind(b, namespace, depth + 1)).collect();
                Ok(Kind::Union(kinds?))
            }
            Value::Object(_) => self.object(schema, namespace, depth),
            other => Err(format!("{other} is no Avro type")),
        }
    }

    fn object(&mut self, schema: &Value, namespace: &str, depth: usize) -> Result<Kind, String> {
        let Some(name) = schema.get("type").and_then(Value::as_str) else {
            let inner = schema.get("type").ok_or("a type without `type`")?;
            return self.kind(inner, namespace, depth + 1);
        };
        let nested = |key: &str| schema.get(key).ok_or(format!("{name} without `{key}`"));
        match name {
            "array" => Ok(Kind::Array(Box::new(self.kind(nested("items")?, namespace, depth + 1)?))),
            "map" => Ok(Kind::Map(Box::new(self.kind(nested("values")?, namespace, depth + 1)?))),
            "enum" => {
                let symbols = nested("symbols")?.as_array().map_or(0, Vec::len);
                self.define(schema, namespace, Kind::Enum(symbols))
            }
            "fixed" => {
                let size = nested("size")?.as_u64().and_then(|n| usize::try_from(n).ok());
                self.define(schema, namespace, Kind::Fixed(size.ok_or("fixed without a size")?))
            }
            "record" | "error" => self.record(schema, namespace, depth),
            primitive => self.by_name(primitive, namespace),
        }
    }

    fn record(&mut self, schema: &Value, namespace: &str, depth: usize) -> Result<Kind, String> {
        let number = self.records.len();
        self.records.push(Vec::new());
        let kind = self.define(schema, namespace, Kind::Record(number))?;
        let inner =
            full_name(schema, namespace).rsplit_once('.').map_or(String::new(), |(ns, _)| ns.to_owned());
        let fields = schema.get("fields").and_then(Value::as_array).ok_or("a record without `fields`")?;
        for field in fields {
            let name = field.get("name").and_then(Value::as_str).ok_or("a field without `name`")?;
            let of = field.get("type").ok_or_else(|| format!("field `{name}` has no type"))?;
            let kind = self.kind(of, &inner, depth + 1)?;
            self.records[number].push((name.to_owned(), kind));
        }
        Ok(kind)
    }

    fn define(&mut self, schema: &Value, namespace: &str, kind: Kind) -> Result<Kind, String> {
        self.named.insert(full_name(schema, namespace), kind.clone());
        Ok(kind)
    }

    fn by_name(&self, name: &str, namespace: &str) -> Result<Kind, String> {
        Ok(match name {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "float" => Kind::Fixed(4),
            "double" => Kind::Fixed(8),
            "bytes" => Kind::Bytes,
            "string" => Kind::Text,
            other => {
                let qualified = format!("{namespace}.{other}");
                let found = self.named.get(&qualified).or_else(|| self.named.get(other));
                return found.cloned().ok_or_else(|| format!("the type `{other}` is not defined in it"));
            }
        })
    }
}

fn full_name(schema: &Value, namespace: &str) -> String {
    let name = schema.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.contains('.') {
        return name.to_owned();
    }
    match schema.get("namespace").and_then(Value::as_str).unwrap_or(namespace) {
        "" => name.to_owned(),
        namespace => format!("{namespace}.{name}"),
    }
}

struct Walk<'a> {
    records: &'a [Vec<(String, Kind)>],
    rest: &'a [u8],
    /// How many more items arrays and maps may have.
    items: u64,
}

impl<'a> Walk<'a> {
    fn value(&mut self, kind: &Kind, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply".into());
        }
        match kind {
            Kind::Null => Ok(()),
            Kind::Boolean => match self.take(1)? {
                [0 | 1] => Ok(()),
                other => Err(format!("{other:?} is no boolean")),
            },
            Kind::Int => match i32::try_from(self.long()?) {
                Ok(_) => Ok(()),
                Err(_) => Err("an int is out of range".into()),
            },
            Kind::Long => self.long().map(|_| ()),
            Kind::Fixed(size) => self.take(*size).map(|_| ()),
            Kind::Bytes => self.sized().map(|_| ()),
            Kind::Text => self.text(),
            Kind::Enum(symbols) => self.branch(*symbols, "symbol").map(|_| ()),
            Kind::Union(branches) => {
                let branch = self.branch(branches.len(), "union branch")?;
                self.value(&branches[branch], depth + 1)
            }
            Kind::Array(item) => self.blocks(|walk| walk.value(item, depth + 1)),
            Kind::Map(item) => self.blocks(|walk| {
                walk.text()?;
                walk.value(item, depth + 1)
            }),
            Kind::Record(number) => {
                let records = self.records;
                for (name, kind) in &records[*number] {
                    self.value(kind, depth + 1).map_err(|e| format!("field `{name}`: {e}"))?;
                }
                Ok(())
            }
        }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .rest
            .split_at_checked(n)
            .ok_or_else(|| format!("{n} bytes are asked for, {} are left", self.rest.len()))?;
        self.rest = rest;
        Ok(taken)
    }

    fn long(&mut self) -> Result<i64, String> {
        let mut value = 0u64;
        for i in 0..10 {
            let byte = *self.rest.get(i).ok_or("the bytes end within a number")?;
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                if i == 9 && byte > 1 {
                    break;
                }
                self.rest = &self.rest[i + 1..];
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("a number has more than 64 bits".into())
    }

    fn sized(&mut self) -> Result<&'a [u8], String> {
        let length = self.long()?;
        let n = usize::try_from(length).map_err(|_| format!("a length of {length} bytes"))?;
        self.take(n)
    }

    fn text(&mut self) -> Result<(), String> {
        let text = self.sized()?;
        std::str::from_utf8(text).map(|_| ()).map_err(|e| format!("a text is not UTF-8: {e}"))
    }

    fn branch(&mut self, of: usize, what: &str) -> Result<usize, String> {
        let n = self.long()?;
        usize::try_from(n).ok().filter(|&n| n < of).ok_or_else(|| format!("{what} {n} of {of}"))
    }

    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), String>) -> Result<(), String> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            let size = if count < 0 { Some(self.long()?) } else { None };
            let count = count.unsigned_abs();
            self.items = self
                .items
                .checked_sub(count)
                .ok_or_else(|| format!("{count} items, more than the record can hold"))?;
            let before = self.rest.len();
            for _ in 0..count {
                item(self)?;
            }
            if size.is_some_and(|size| i64::try_from(before - self.rest.len()) != Ok(size)) {
                return Err(format!("a block of {} bytes, not as many as it says", before - self.rest.len()));
            }
        }
    }
}
