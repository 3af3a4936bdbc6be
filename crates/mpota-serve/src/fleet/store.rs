//! The database on disk. What [`Store::write`] has returned for is there after a crash.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, StorageBackend, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::{Board, Change, Halt, Release, append};

type Table = TableDefinition<'static, &'static str, &'static [u8]>;
/// The format of all tables. Another number: made by another version.
const META: TableDefinition<'static, &'static str, u64> = TableDefinition::new("meta");
const FORMAT: (&str, u64) = ("format", 2);
/// By the board's id: its last report.
const BOARDS: Table = TableDefinition::new("boards");
/// By the board's id: its changes, the oldest first.
const HISTORY: Table = TableDefinition::new("history");
/// By project and version.
const HALTS: Table = TableDefinition::new("halts");
/// Bytes of the database that are kept in memory. All boards are in memory anyway.
const CACHE: usize = 16 * 1024 * 1024;

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Database(#[from] Box<redb::Error>),
    #[error("a record cannot be read: {0}")]
    Record(#[from] serde_json::Error),
    #[error("it was made by another version of mpota: its format is {0}, and this one knows {known}", known = FORMAT.1)]
    Format(u64),
}

type Result<T> = std::result::Result<T, StoreError>;

fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Database(Box::new(error.into()))
}

/// All that the database holds.
pub(crate) struct Loaded {
    pub boards: Vec<(String, Board, Vec<Change>)>,
    pub halts: Vec<(Release, Halt)>,
}

/// A board's record that is to be written.
pub(crate) struct Write {
    pub id: String,
    pub board: Board,
    pub change: Option<Change>,
}

/// An open database.
pub(crate) struct Store {
    database: Database,
}

impl Store {
    /// Opens it, or makes it for this user alone.
    pub fn open(path: &Path) -> Result<Self> {
        let file = file(path).map_err(failed)?;
        Self::on(FileBackend::new(file).map_err(failed)?)
    }

    pub fn on(backend: impl StorageBackend) -> Result<Self> {
        // A file that was damaged is an error, and nothing that is believed.
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        let store = Self { database: builder.create_with_backend(backend).map_err(failed)? };
        store.prepare()?;
        Ok(store)
    }

    fn prepare(&self) -> Result<()> {
        let writing = self.begin()?;
        {
            let mut meta = writing.open_table(META).map_err(failed)?;
            let found = meta.get(FORMAT.0).map_err(failed)?.map(|format| format.value());
            match found {
                Some(format) if format != FORMAT.1 => return Err(StoreError::Format(format)),
                Some(_) => {}
                None => drop(meta.insert(FORMAT.0, FORMAT.1).map_err(failed)?),
            }
            for table in [BOARDS, HISTORY, HALTS] {
                writing.open_table(table).map_err(failed)?;
            }
        }
        writing.commit().map_err(failed)
    }

    fn begin(&self) -> Result<redb::WriteTransaction> {
        let mut writing = self.database.begin_write().map_err(failed)?;
        // What is written comes from strangers: which of two states is the newer one shall not hang on a checksum.
        writing.set_two_phase_commit(true);
        Ok(writing)
    }

    /// Reads everything.
    pub fn load(&self) -> Result<Loaded> {
        let reading = self.database.begin_read().map_err(failed)?;
        let history = reading.open_table(HISTORY).map_err(failed)?;
        let mut boards = Vec::new();
        for entry in reading.open_table(BOARDS).map_err(failed)?.iter().map_err(failed)? {
            let (id, board) = entry.map_err(failed)?;
            let changes = history.get(id.value()).map_err(failed)?;
            let changes =
                changes.map_or(Ok(Vec::new()), |changes| serde_json::from_slice(changes.value()))?;
            boards.push((id.value().to_owned(), serde_json::from_slice(board.value())?, changes));
        }
        let mut halts = Vec::new();
        for entry in reading.open_table(HALTS).map_err(failed)?.iter().map_err(failed)? {
            let (_, halt) = entry.map_err(failed)?;
            halts.push(serde_json::from_slice(halt.value())?);
        }
        Ok(Loaded { boards, halts })
    }

    /// Writes reports, all of them or none, and gives the new histories of those that have one.
    pub fn write(&self, writes: &[Write]) -> Result<Vec<Option<Vec<Change>>>> {
        let writing = self.begin()?;
        let mut histories = Vec::with_capacity(writes.len());
        {
            let mut boards = writing.open_table(BOARDS).map_err(failed)?;
            let mut changes = writing.open_table(HISTORY).map_err(failed)?;
            for Write { id, board, change } in writes {
                put(&mut boards, id, board)?;
                let Some(change) = change else {
                    histories.push(None);
                    continue;
                };
                let mut history: Vec<Change> = get(&changes, id)?.unwrap_or_default();
                append(&mut history, change.clone());
                put(&mut changes, id, &history)?;
                histories.push(Some(history));
            }
        }
        writing.commit().map_err(failed)?;
        Ok(histories)
    }

    /// Writes what is withheld, or was.
    pub fn write_halt(&self, release: &Release, halt: &Halt) -> Result<()> {
        let writing = self.begin()?;
        {
            let mut halts = writing.open_table(HALTS).map_err(failed)?;
            put(&mut halts, &format!("{}\n{}", release.project, release.version), &(release, halt))?;
        }
        writing.commit().map_err(failed)
    }

    /// The changes of one board, the oldest first.
    pub fn history(&self, id: &str) -> Result<Vec<Change>> {
        let reading = self.database.begin_read().map_err(failed)?;
        let table = reading.open_table(HISTORY).map_err(failed)?;
        Ok(get(&table, id)?.unwrap_or_default())
    }
}

fn get<T: DeserializeOwned>(
    table: &impl redb::ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<T>> {
    let Some(value) = table.get(key).map_err(failed)? else { return Ok(None) };
    Ok(Some(serde_json::from_slice(value.value())?))
}

fn put(
    table: &mut redb::Table<'_, &'static str, &'static [u8]>,
    key: &str,
    value: &impl Serialize,
) -> Result<()> {
    table.insert(key, &*serde_json::to_vec(value)?).map_err(failed)?;
    Ok(())
}

/// Opens the file, and sees to it that a new one is found after a power cut.
fn file(path: &Path) -> io::Result<File> {
    let new = !path.exists();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    if new && cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(file)
}
