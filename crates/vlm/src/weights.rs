//! A model's tensors by name.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};
use crate::unit::{Params, Unit};

/// A model's tensors by parameter name.
#[derive(Debug, Default)]
pub struct Weights(BTreeMap<String, Tensor>);

impl Weights {
    /// Adds or replaces a tensor.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) {
        self.0.insert(name.into(), tensor);
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] naming it.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.0.get(name).ok_or_else(|| Error::MissingParameter { name: name.to_owned() })
    }

    /// Names and tensors, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Tensor)> {
        self.0.iter()
    }

    /// Number of tensors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parameters of one unit: its own and those it borrows. Handles, not copies.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] naming the first that is missing.
    pub fn params_of(&self, unit: &dyn Unit) -> Result<Params> {
        let mut params = Params::new();
        for name in unit.spec().0.into_iter().map(|def| def.name).chain(unit.borrows()) {
            let tensor = self.get(&name)?.shallow_clone();
            params.insert(name, tensor);
        }
        Ok(params)
    }

    /// A copy of all tensors.
    ///
    /// # Errors
    /// [`Error::Torch`] if there is no memory for them.
    pub fn to_owned_copy(&self) -> Result<Self> {
        let copy = |(name, tensor): (&String, &Tensor)| Ok((name.clone(), tensor.f_detach_copy()?));
        Ok(Self(self.0.iter().map(copy).collect::<Result<_>>()?))
    }

    /// The weights on another device or in another kind.
    ///
    /// # Errors
    /// [`Error::Torch`] if there is no memory for them.
    pub fn to(&self, device: Device, kind: Kind) -> Result<Self> {
        let moved =
            self.0.iter().map(|(name, t)| Ok((name.clone(), t.f_to_kind(kind)?.f_to_device(device)?)));
        Ok(Self(moved.collect::<Result<_>>()?))
    }
}

impl FromIterator<(String, Tensor)> for Weights {
    fn from_iter<I: IntoIterator<Item = (String, Tensor)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}
