//! Single safetensors files: reading by memory map, and writing.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata, SafeTensors};
use tch::{Kind, Tensor};

use super::stand_in::unless_pointer;
use crate::error::{Error, Result};

/// One memory-mapped file. Tensors are copied out one at a time, so that a model is never in memory twice.
#[derive(Debug)]
pub(crate) struct Mapped {
    path: PathBuf,
    map: Mmap,
    header: usize,
    metadata: Metadata,
}

#[expect(unsafe_code, reason = "memory map of a checkpoint; see the safety argument inside")]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the map is read-only and private to this module. A file that another process truncates while it is mapped
    // would end this process with a signal. Checkpoints are written under temporary names and renamed, never changed in
    // place, on which every reader of memory-mapped safetensors relies.
    unsafe { Mmap::map(file) }
}

impl Mapped {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        let map = map(&file).map_err(Error::io(path))?;
        let (size, metadata) = SafeTensors::read_metadata(&map)
            .map_err(|source| unless_pointer(path, Error::safetensors(path)(source)))?;
        Ok(Self { path: path.to_owned(), map, header: size + 8, metadata })
    }

    /// Names of the tensors in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.metadata.tensors().into_keys().collect();
        names.sort();
        names
    }

    pub(crate) fn shape(&self, name: &str) -> Option<Vec<i64>> {
        Some(self.metadata.info(name)?.shape.iter().map(|&n| n as i64).collect())
    }

    /// Copies a tensor out, in its stored kind.
    pub(crate) fn tensor(&self, name: &str) -> Result<Tensor> {
        let info =
            self.metadata.info(name).ok_or_else(|| Error::MissingParameter { name: name.to_owned() })?;
        let (start, end) = info.data_offsets;
        let data = self.map.get(self.header + start..self.header + end).ok_or_else(|| Error::Checkpoint {
            path: self.path.clone(),
            reason: format!("tensor {name} lies outside the file, which is truncated"),
        })?;
        let kind = kind(info.dtype).ok_or_else(|| Error::Checkpoint {
            path: self.path.clone(),
            reason: format!("tensor {name} has the unsupported type {:?}", info.dtype),
        })?;
        let shape: Vec<i64> = info.shape.iter().map(|&n| n as i64).collect();
        Ok(Tensor::f_from_data_size(data, &shape, kind)?)
    }
}

fn kind(dtype: Dtype) -> Option<Kind> {
    Some(match dtype {
        Dtype::F32 => Kind::Float,
        Dtype::F64 => Kind::Double,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        Dtype::I64 => Kind::Int64,
        Dtype::I32 => Kind::Int,
        Dtype::I16 => Kind::Int16,
        Dtype::I8 => Kind::Int8,
        Dtype::U8 => Kind::Uint8,
        Dtype::BOOL => Kind::Bool,
        _ => return None,
    })
}

fn dtype(kind: Kind) -> Option<Dtype> {
    Some(match kind {
        Kind::Float => Dtype::F32,
        Kind::Double => Dtype::F64,
        Kind::Half => Dtype::F16,
        Kind::BFloat16 => Dtype::BF16,
        Kind::Int64 => Dtype::I64,
        Kind::Int => Dtype::I32,
        Kind::Int16 => Dtype::I16,
        Kind::Int8 => Dtype::I8,
        Kind::Uint8 => Dtype::U8,
        Kind::Bool => Dtype::BOOL,
        _ => return None,
    })
}

/// A tensor whose bytes are copied when they are written.
struct Outgoing {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: usize,
    tensor: Tensor,
}

impl safetensors::View for &Outgoing {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        let mut bytes = vec![0_u8; self.bytes];
        let contiguous = self.tensor.contiguous().to_device(tch::Device::Cpu);
        contiguous.copy_data_u8(&mut bytes, contiguous.numel());
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.bytes
    }
}

/// Reads all tensors of a safetensors file, in their stored kinds.
///
/// # Errors
/// [`Error::Io`], [`Error::Safetensors`] or [`Error::Checkpoint`] naming the file.
pub fn read_safetensors(path: &Path) -> Result<Vec<(String, Tensor)>> {
    let file = Mapped::open(path)?;
    file.names().into_iter().map(|name| Ok((name.clone(), file.tensor(&name)?))).collect()
}

/// Writes tensors to one safetensors file under a temporary name, then renames it. Equal tensors give equal bytes.
///
/// # Errors
/// [`Error::Io`], [`Error::Safetensors`] or [`Error::Checkpoint`] naming the file.
pub fn write_safetensors<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
) -> Result<()> {
    let mut outgoing = Vec::new();
    for (name, tensor) in tensors {
        let dtype = dtype(tensor.kind()).ok_or_else(|| Error::Checkpoint {
            path: path.to_owned(),
            reason: format!("tensor {name} has the kind {:?}, which safetensors cannot hold", tensor.kind()),
        })?;
        let shape: Vec<usize> = tensor.size().iter().map(|&n| n as usize).collect();
        let bytes = tensor.numel() * tensor.kind().elt_size_in_bytes();
        outgoing.push((name.to_owned(), Outgoing { dtype, shape, bytes, tensor: tensor.detach() }));
    }
    let views: Vec<(String, &Outgoing)> = outgoing.iter().map(|(name, view)| (name.clone(), view)).collect();
    // transformers 4 refuses files that do not name their framework.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let temporary = path.with_extension("partial");
    safetensors::serialize_to_file(views, Some(metadata), &temporary).map_err(Error::safetensors(path))?;
    File::open(&temporary).and_then(|file| file.sync_all()).map_err(Error::io(&temporary))?;
    std::fs::rename(&temporary, path).map_err(Error::io(path))
}
