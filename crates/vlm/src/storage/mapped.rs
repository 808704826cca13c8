//! Single safetensors files: reading by memory map, and writing.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorInfo};
use tch::{Device, Kind, TchError, Tensor};
use tsumugi_record::write_atomic;

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

/// Reads all tensors of a safetensors file, in their stored kinds.
///
/// # Errors
/// [`Error::Io`], [`Error::Safetensors`] or [`Error::Checkpoint`] naming the file.
pub fn read_safetensors(path: &Path) -> Result<Vec<(String, Tensor)>> {
    let file = Mapped::open(path)?;
    file.names().into_iter().map(|name| Ok((name.clone(), file.tensor(&name)?))).collect()
}

/// Writes tensors to one safetensors file with [`write_atomic`]. Equal tensors give equal bytes. One tensor at a time is copied
/// to memory.
///
/// # Errors
/// [`Error::Record`], [`Error::Safetensors`] or [`Error::Checkpoint`] naming the file.
pub fn write_safetensors<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
) -> Result<()> {
    let mut typed = Vec::new();
    for (name, tensor) in tensors {
        let dtype = dtype(tensor.kind()).ok_or_else(|| Error::Checkpoint {
            path: path.to_owned(),
            reason: format!("tensor {name} has the kind {:?}, which safetensors cannot hold", tensor.kind()),
        })?;
        typed.push((dtype, name, tensor));
    }
    // The order of the format's own writer: the widest types first, so that every tensor is aligned.
    typed.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let mut infos = Vec::with_capacity(typed.len());
    let mut end = 0;
    for (dtype, name, tensor) in &typed {
        let start = end;
        end += tensor.numel() * tensor.kind().elt_size_in_bytes();
        let shape = tensor.size().iter().map(|&n| n as usize).collect();
        infos.push(((*name).to_owned(), TensorInfo { dtype: *dtype, shape, data_offsets: (start, end) }));
    }
    // transformers 4 refuses files that do not name their framework.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let header = Metadata::new(Some(metadata), infos).map_err(Error::safetensors(path))?;
    let mut header = serde_json::to_vec(&header).map_err(Error::json(path))?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(write_atomic(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        typed.iter().try_for_each(|(_, _, tensor)| file.write_all(&bytes(tensor).map_err(io::Error::other)?))
    })?)
}

fn bytes(tensor: &Tensor) -> std::result::Result<Vec<u8>, TchError> {
    let mut bytes = vec![0_u8; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    let contiguous = tensor.f_detach()?.f_contiguous()?.f_to_device(Device::Cpu)?;
    contiguous.f_copy_data_u8(&mut bytes, contiguous.numel())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_those_of_the_formats_own_writer() {
        let folder = tempfile::tempdir().unwrap();
        let tensors = [
            ("b", Tensor::from_slice(&[1.5_f32, -2.0, 3.0, 0.0]).view([2, 2])),
            ("a", Tensor::from_slice(&[1_i64, 2])),
            ("c", Tensor::from_slice(&[1.0_f32, 2.0]).to_kind(Kind::BFloat16)),
            ("transposed", Tensor::from_slice(&[1_f32, 2.0, 3.0, 4.0, 5.0, 6.0]).view([2, 3]).tr()),
            ("empty", Tensor::zeros([0, 3], (Kind::Float, Device::Cpu))),
        ];
        let path = folder.path().join("ours.safetensors");
        write_safetensors(&path, tensors.iter().map(|(name, tensor)| (*name, tensor))).unwrap();
        let read = read_safetensors(&path).unwrap();
        assert_eq!(read.len(), tensors.len());
        for (name, tensor) in &tensors {
            let (_, found) = read.iter().find(|(found, _)| found == name).unwrap();
            assert_eq!((found.kind(), found.size()), (tensor.kind(), tensor.size()), "{name}");
            assert_eq!(found, tensor, "{name}");
        }
        let data: Vec<(&str, Vec<u8>, Dtype, Vec<usize>)> = tensors
            .iter()
            .map(|(name, tensor)| {
                let shape = tensor.size().iter().map(|&n| n as usize).collect();
                (*name, bytes(tensor).unwrap(), dtype(tensor.kind()).unwrap(), shape)
            })
            .collect();
        let views = data.iter().map(|(name, bytes, dtype, shape)| {
            (*name, safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let theirs = safetensors::serialize(views, Some(metadata)).unwrap();
        assert!(std::fs::read(&path).unwrap() == theirs);
    }
}
