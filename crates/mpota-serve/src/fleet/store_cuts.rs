//! The database on a disk that loses its power at every write: what was promised is there.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use super::record::{Board, Change};
use super::store::{Store, Write};

/// A disk whose last writes come through in any order, in part, or not at all, until it is told to sync.
#[derive(Debug, Default)]
struct Platter {
    now: Vec<u8>,
    safe: Vec<u8>,
    pending: Vec<Pending>,
    /// Operations until the power goes.
    left: usize,
    done: usize,
}

#[derive(Debug, Clone)]
enum Pending {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Platter>>);

type Answer<T> = io::Result<T>;

fn gone(what: &'static str) -> io::Error {
    io::Error::other(what)
}

fn apply(bytes: &mut Vec<u8>, change: &Pending) {
    match change {
        Pending::Length(length) => bytes.resize(*length, 0),
        Pending::Bytes(at, new) => {
            let end = at + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*at..end].copy_from_slice(new);
        }
    }
}

impl Disk {
    fn with(bytes: Vec<u8>, left: usize) -> Self {
        let platter = Platter { now: bytes.clone(), safe: bytes, left, ..Platter::default() };
        Self(Arc::new(Mutex::new(platter)))
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    fn step(&self) -> Answer<MutexGuard<'_, Platter>> {
        let mut platter = self.lock();
        platter.left = platter.left.checked_sub(1).ok_or_else(|| gone("the power is gone"))?;
        platter.done += 1;
        Ok(platter)
    }

    fn change(&self, change: Pending) -> Answer<()> {
        let mut platter = self.step()?;
        apply(&mut platter.now, &change);
        platter.pending.push(change);
        Ok(())
    }

    /// What is found when the power is back.
    fn after_the_cut(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        let platter = self.lock();
        let mut bytes = platter.safe.clone();
        let mut pending = platter.pending.clone();
        random.shuffle(&mut pending);
        for change in pending {
            match (random.u8(..3), change) {
                (0, _) => {}
                (1, Pending::Bytes(at, mut new)) => {
                    // In whole sectors.
                    new.truncate(random.usize(..=new.len() / 512) * 512);
                    apply(&mut bytes, &Pending::Bytes(at, new));
                }
                (_, change) => apply(&mut bytes, &change),
            }
        }
        bytes
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Answer<u64> {
        Ok(self.lock().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Answer<()> {
        let platter = self.lock();
        let at = usize::try_from(offset).unwrap();
        out.copy_from_slice(platter.now.get(at..at + out.len()).ok_or_else(|| gone("behind the end"))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Answer<()> {
        self.change(Pending::Length(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> Answer<()> {
        let mut platter = self.step()?;
        platter.safe = platter.now.clone();
        platter.pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Answer<()> {
        self.change(Pending::Bytes(usize::try_from(offset).unwrap(), data.to_vec()))
    }
}

type Content = BTreeMap<String, (u64, Vec<Change>)>;

fn content(store: &Store) -> Content {
    let boards = store.load().unwrap().boards;
    boards.into_iter().map(|(id, board, history)| (id, (board.boots.unwrap(), history))).collect()
}

/// The reports of a batch: some boards again and again, and some new ones.
fn batch(number: u64) -> Vec<Write> {
    let one = |place: u64| {
        let board = Board {
            project: "octo/weather".into(),
            version: Some(format!("v1.{number}.0")),
            boots: Some(number),
            why: Some("x".repeat(200)),
            ..Board::default()
        };
        Write { id: format!("b{place}"), change: board.change(None, number), board }
    };
    (0..4 + number).map(one).collect()
}

const BATCHES: u64 = 8;

/// Writes until the power goes: what was promised, and what it may be together with the batch that was under way.
fn work(disk: &Disk) -> (Content, Content) {
    let (mut promised, mut possible) = (Content::new(), Content::new());
    let Ok(store) = Store::on(disk.clone()) else { return (promised, possible) };
    for number in 0..BATCHES {
        let writes = batch(number);
        for Write { id, change, .. } in &writes {
            let entry = possible.entry(id.clone()).or_default();
            entry.0 = number;
            entry.1.extend(change.clone());
        }
        match store.write(&writes) {
            Ok(histories) => assert!(histories.iter().all(Option::is_some)),
            Err(_) => return (promised, possible),
        }
        promised = possible.clone();
    }
    (promised, possible)
}

#[test]
fn no_report_that_was_promised_is_lost_wherever_the_power_goes() {
    // An empty database: whether one could be made is not what is asked here.
    let empty = Disk::with(Vec::new(), usize::MAX);
    drop(Store::on(empty.clone()).unwrap());
    let empty = empty.lock().safe.clone();
    let whole = Disk::with(empty.clone(), usize::MAX);
    let (all, _) = work(&whole);
    assert_eq!(all.len(), 4 + usize::try_from(BATCHES).unwrap() - 1);
    let steps = whole.lock().done;
    let (mut cuts, mut as_promised, mut with_the_last) = (0, 0, 0);
    for cut in 0..steps {
        for seed in 0..3 {
            let disk = Disk::with(empty.clone(), cut);
            let (promised, possible) = work(&disk);
            let mut random = fastrand::Rng::with_seed(seed + 3 * cut as u64);
            let found = disk.after_the_cut(&mut random);
            let store = Store::on(Disk::with(found, usize::MAX)).unwrap_or_else(|e| panic!("cut {cut}: {e}"));
            let found = content(&store);
            if found == promised {
                as_promised += 1;
            } else {
                assert_eq!(found, possible, "cut {cut}, seed {seed}");
                with_the_last += 1;
            }
            // It goes on from there.
            store.write(&batch(90)).unwrap();
            cuts += 1;
        }
    }
    assert!(cuts > 100 && as_promised > 0 && with_the_last > 0, "{cuts} {as_promised} {with_the_last}");
    println!(
        "  cases {cuts}: power cuts, {as_promised} as promised, {with_the_last} with the batch under way"
    );
}

#[test]
fn a_database_of_another_version_is_not_touched() {
    let disk = Disk::with(Vec::new(), usize::MAX);
    let database = redb::Database::builder().create_with_backend(disk.clone()).unwrap();
    let writing = database.begin_write().unwrap();
    writing.open_table(redb::TableDefinition::<&str, u64>::new("meta")).unwrap().insert("format", 1).unwrap();
    writing.commit().unwrap();
    drop(database);
    let Err(error) = Store::on(disk) else { panic!("it was taken") };
    assert!(error.to_string().contains("its format is 1"), "{error}");
}
