//! The archives that a step reads: files, folders, and with the feature `remote` URLs, lists of paths and the records
//! that an index names.

#[cfg(feature = "remote")]
mod remote;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use tsumugi_warc::{ArchiveReader, Options, Record};

use crate::Error;
use crate::runner::content_hash;

/// Ends of the names of archives, for files that are found in a folder.
const ENDINGS: [&str; 10] = [
    ".warc",
    ".warc.gz",
    ".warc.zst",
    ".warc.lz4",
    ".arc",
    ".arc.gz",
    ".warc.wet",
    ".warc.wet.gz",
    ".warc.wat",
    ".warc.wat.gz",
];

/// Which archives are meant.
#[derive(Debug, Clone, Default)]
pub struct Named<'a> {
    /// Archives: files, folders of them, URLs, lists of paths (`*.paths`, `*.paths.gz`).
    pub archives: &'a [PathBuf],
    /// Indexes (CDXJ, CDX, ZipNum, columnar): only records that they name are read. Without `archives`.
    pub indexes: &'a [PathBuf],
    /// Which records of the indexes are wanted: `language=jpn,mime=text/html,domain=example.jp,status=200`, as the
    /// `Selection` of `tsumugi_warc_remote` is written. Empty: all.
    pub select: &'a str,
    /// Folder or URL below which the paths of lists and indexes lie. Those of Common Crawl need none.
    pub base: Option<&'a str>,
}

/// Archives in the order in which they were named, those of a folder by name.
#[derive(Debug)]
pub struct Archives {
    /// What is read, one shard each.
    pub sources: Vec<Source>,
    /// What identifies an index and the selection from it.
    selected: BTreeMap<String, String>,
    #[cfg(feature = "remote")]
    remote: Option<tsumugi_warc_remote::Remote>,
}

/// What is read for one shard.
#[derive(Debug)]
pub struct Source(Kind);

#[derive(Debug)]
enum Kind {
    File(PathBuf),
    #[cfg(feature = "remote")]
    Remote(tsumugi_warc_remote::Address, tsumugi_warc_remote::Version),
    #[cfg(feature = "remote")]
    Parts(Vec<tsumugi_warc_remote::index::ArchivePlan>),
}

/// What was read of a source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Bytes of the archive.
    pub bytes: u64,
    /// Records that an index names and that are not there.
    pub missing: u64,
}

/// What is done with each record or error: the name of its archive is told too.
type Each<'a> = dyn FnMut(&str, Result<&Record<'_>, tsumugi_warc::Error>) -> Result<(), Error> + 'a;

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::File(path) => path.display().fmt(f),
            #[cfg(feature = "remote")]
            Kind::Remote(address, _) => address.fmt(f),
            #[cfg(feature = "remote")]
            Kind::Parts(plans) => remote::show_parts(plans, f),
        }
    }
}

impl Archives {
    /// Finds the archives that are meant, and what identifies each.
    ///
    /// # Errors
    /// Where nothing is named, or something named cannot be read.
    pub fn find(named: &Named<'_>) -> Result<Self, Error> {
        let mut archives = Self {
            sources: Vec::new(),
            selected: BTreeMap::new(),
            #[cfg(feature = "remote")]
            remote: None,
        };
        if named.indexes.is_empty() {
            if !named.select.is_empty() {
                return Err(Error::config("select", "selects records of an index; name an index too"));
            }
            for path in named.archives {
                archives.add(path, named.base)?;
            }
        } else {
            if !named.archives.is_empty() {
                let reason = "names the archives to read itself; give either archives or an index";
                return Err(Error::config("index", reason));
            }
            archives.select(named)?;
        }
        if archives.sources.is_empty() && named.indexes.is_empty() {
            return Err(Error::config("warc", "no archive is given"));
        }
        Ok(archives)
    }

    fn add(&mut self, path: &Path, base: Option<&str>) -> Result<(), Error> {
        if is_elsewhere(path) {
            self.add_elsewhere(path, base)
        } else if path.is_dir() {
            self.sources.extend(in_folder(path)?.into_iter().map(|path| Source(Kind::File(path))));
            Ok(())
        } else if path.exists() {
            self.sources.push(Source(Kind::File(path.to_owned())));
            Ok(())
        } else {
            Err(Error::Missing { path: path.to_owned() })
        }
    }

    /// For each archive, or for the index and its selection, what identifies its content.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn identity(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut identity = self.selected.clone();
        for (number, source) in self.sources.iter().enumerate() {
            let (name, hash) = match &source.0 {
                Kind::File(path) => (file_name(path), content_hash(path)?),
                #[cfg(feature = "remote")]
                Kind::Remote(address, version) => {
                    (address.name(), format!("{address} {}", version.identity()))
                }
                #[cfg(feature = "remote")]
                Kind::Parts(_) => continue,
            };
            identity.insert(format!("{number:05}:{name}"), hash);
        }
        Ok(identity)
    }

    /// Reads a source from one end to the other, and shows on `bar` how many bytes of it have been read.
    ///
    /// # Errors
    /// Where it cannot be opened, and what `each` returns. Errors on the way are handed to `each`.
    pub fn read(&self, source: &Source, bar: &ProgressBar, each: &mut Each<'_>) -> Result<Totals, Error> {
        let failed = |error| Error::Archive(Box::new(error));
        match &source.0 {
            Kind::File(path) => {
                let reader = ArchiveReader::open_with(path, Options::default()).map_err(failed)?;
                bar.set_length(std::fs::metadata(path).map_or(0, |metadata| metadata.len()));
                read_all(reader, &file_name(path), bar, each)
            }
            #[cfg(feature = "remote")]
            Kind::Remote(address, version) => {
                let remote = self.client()?;
                let reader = remote.archive_of_version(address, version, Options::default());
                read_all(reader.map_err(remote::failed)?, &address.name(), bar, each)
            }
            #[cfg(feature = "remote")]
            Kind::Parts(plans) => self.read_parts(plans, bar, each),
        }
    }
}

fn read_all<R: Read>(
    mut reader: ArchiveReader<R>,
    name: &str,
    bar: &ProgressBar,
    each: &mut Each<'_>,
) -> Result<Totals, Error> {
    while let Some(record) = reader.next() {
        match record {
            Ok(record) => each(name, Ok(&record))?,
            Err(error) => each(name, Err(error))?,
        }
        bar.set_position(reader.offset());
    }
    bar.set_position(reader.offset());
    Ok(Totals { records: reader.records(), bytes: reader.offset(), missing: 0 })
}

/// Opens one archive, wherever it is; `-` is standard input.
///
/// # Errors
/// Where it cannot be opened, or is a URL and this build reads none.
pub fn open(path: &Path, options: Options) -> Result<ArchiveReader<Box<dyn Read + Send>>, Error> {
    if is_elsewhere(path) {
        #[cfg(feature = "remote")]
        return remote::open(path, options);
        #[cfg(not(feature = "remote"))]
        return Err(not_in_this_build(path));
    }
    if path == Path::new("-") {
        return Ok(ArchiveReader::from_reader(Box::new(std::io::stdin()), options));
    }
    let open = || {
        let file = std::fs::File::open(path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
        }
        Ok((file, meta.is_file().then_some(meta.len())))
    };
    let failed =
        |source| Error::Archive(Box::new(tsumugi_warc::Error::Open { path: path.to_owned(), source }));
    let (file, length) = open().map_err(failed)?;
    Ok(ArchiveReader::from_part(Box::new(file), 0, length, options))
}

/// A named archive as it may be shown: of a URL not what may hold keys (user name and query).
#[must_use]
pub fn shown(path: &Path) -> String {
    let name = path.to_string_lossy();
    let Some((scheme, rest)) = name.split_once("://") else { return name.into_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, place) = rest.split_once('/').unwrap_or((rest, ""));
    format!("{scheme}://{}/{place}", host.rsplit('@').next().unwrap_or_default())
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a name needs the feature `remote`: a URL or a list of paths.
fn is_elsewhere(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.contains("://") || name.ends_with(".paths") || name.ends_with(".paths.gz")
}

#[cfg(not(feature = "remote"))]
impl Archives {
    fn add_elsewhere(&mut self, path: &Path, _: Option<&str>) -> Result<(), Error> {
        Err(not_in_this_build(path))
    }

    fn select(&mut self, named: &Named<'_>) -> Result<(), Error> {
        Err(not_in_this_build(named.indexes.first().map_or(Path::new("index"), PathBuf::as_path)))
    }
}

#[cfg(not(feature = "remote"))]
fn not_in_this_build(path: &Path) -> Error {
    let reason = "this build reads archives from local files and folders only; URLs, lists of paths and indexes need \
                  the feature `remote`";
    Error::config(shown(path), reason)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read folder", folder))? {
        let path = entry.map_err(Error::io("read folder", folder))?.path();
        if path.is_file() && is_archive(&file_name(&path)) {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(no_archive(folder.display().to_string()));
    }
    found.sort();
    Ok(found)
}

fn is_archive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn no_archive(folder: String) -> Error {
    Error::config(folder, "the folder has no archive (.warc, .warc.gz, .warc.zst, .warc.lz4, .arc, .arc.gz)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_the_bytes_of_an_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.warc");
        let record = "WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n\
                      WARC-Date: 2024-05-01T00:00:00Z\r\nContent-Length: 2\r\n\r\nab\r\n\r\n";
        std::fs::write(&path, record.repeat(3)).unwrap();
        let archives = Archives::find(&Named { archives: &[path], ..Named::default() }).unwrap();
        let bar = ProgressBar::hidden();
        let mut positions = Vec::new();
        let mut each = |_: &str, record: Result<&Record<'_>, tsumugi_warc::Error>| {
            record.unwrap();
            positions.push(bar.position());
            Ok(())
        };
        let totals = archives.read(&archives.sources[0], &bar, &mut each).unwrap();
        let length = 3 * record.len() as u64;
        assert_eq!((totals.records, bar.position(), bar.length()), (3, length, Some(length)));
        // Bytes are read ahead of the records.
        assert!(positions.is_sorted() && positions[2] > 0, "{positions:?}");
        let missing = Named { archives: &["/nowhere/a.warc".into()], ..Named::default() };
        let error = Archives::find(&missing).unwrap_err();
        assert!(matches!(&error, Error::Missing { path } if path.ends_with("a.warc")), "{error}");
    }
}
