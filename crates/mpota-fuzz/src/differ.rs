//! The Rust readers and the board's readers on the same inputs. Where they differ, one of them is wrong, but for what
//! the spec leaves to a board.

use std::sync::LazyLock;
use std::time::Instant;

use mpota_format::journal::{JournalError, Record};
use mpota_format::sshsig::PublicKey;
use mpota_vboard::{Error, Word};

use crate::board::Board;
use crate::mutate::Mutator;
use crate::{repair, seeds, verdict};

/// What both sides read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A manifest.
    Manifest,
    /// A manifest with a signature by a trusted key.
    Signature,
    /// A record of the journal.
    Journal,
    /// Two versions and their order.
    Version,
    /// One file in a pack, behind its size in four bytes.
    Pack,
}

static KEYS: LazyLock<Vec<PublicKey>> =
    LazyLock::new(|| seeds::keys().lines().filter_map(|line| PublicKey::parse_line(line).ok()).collect());

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Manifest, Self::Signature, Self::Journal, Self::Version, Self::Pack];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Signature => "signature",
            Self::Journal => "journal",
            Self::Version => "version",
            Self::Pack => "pack",
        }
    }

    /// What the Rust reader says.
    #[must_use]
    pub fn rust(self, input: &[u8]) -> String {
        match self {
            Self::Manifest => verdict::manifest(input, None),
            Self::Signature => verdict::manifest(input, Some(&KEYS)),
            Self::Journal => verdict::record(input),
            Self::Version => verdict::versions(input),
            Self::Pack => verdict::pack(input).0,
        }
    }

    /// Every vector that is read in this way.
    #[must_use]
    pub fn vectors(self) -> Vec<Vec<u8>> {
        match self {
            Self::Manifest | Self::Signature => seeds::all_manifests(),
            Self::Journal => seeds::all_records(),
            Self::Version => seeds::versions(),
            Self::Pack => seeds::packs(),
        }
    }

    fn seeds(self) -> Vec<Vec<u8>> {
        match self {
            Self::Manifest | Self::Signature => seeds::manifests(),
            Self::Journal => seeds::records(),
            Self::Version => seeds::versions(),
            Self::Pack => seeds::packs(),
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Manifest | Self::Signature => &seeds::MANIFEST,
            Self::Journal => &seeds::RECORD,
            Self::Version => &seeds::VERSION,
            Self::Pack => &[],
        }
    }

    /// The next input.
    fn input(self, mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
        let input = mutator.input(seeds);
        match self {
            Self::Manifest if mutator.once_in(2) => repair::tidy(&input),
            Self::Signature if !mutator.once_in(4) => {
                repair::sign(&if mutator.once_in(2) { repair::tidy(&input) } else { input })
            }
            Self::Journal if !mutator.once_in(4) => repair::sum(&input),
            Self::Version if mutator.once_in(2) => [&input[..], b"\n", &mutator.pick(seeds)[..]].concat(),
            _ => input,
        }
    }
}

/// An input of which the two sides say different things.
#[derive(Debug)]
pub struct Difference {
    /// How it was read.
    pub kind: Kind,
    /// The input, as short as it was made.
    pub input: Vec<u8>,
    /// What Rust says.
    pub rust: String,
    /// What the board says.
    pub board: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}: Rust says `{}`, the board `{}`, of", self.kind.name(), self.rust, self.board)?;
        write!(f, "b\"{}\"", self.input.escape_ascii())
    }
}

/// Both readers.
pub struct Differ {
    board: Board,
}

impl Differ {
    /// Starts the board's readers.
    ///
    /// # Errors
    /// When there is no MicroPython.
    pub fn new() -> Result<Self, Error> {
        Self::start(Word::Bits64, "8M", None)
    }

    /// The same with words as on a board, and so many bytes of the heap left.
    ///
    /// # Errors
    /// When there is no MicroPython.
    pub fn with_little_memory(free: usize) -> Result<Self, Error> {
        Self::start(Word::Bits32, "1M", Some(free.to_string()))
    }

    fn start(word: Word, heap: &'static str, free: Option<String>) -> Result<Self, Error> {
        let keys = mpota_vboard::repository().join("spec/vectors/signature/keys").display().to_string();
        let arguments: Vec<&str> = [Some(keys.as_str()), free.as_deref()].into_iter().flatten().collect();
        Ok(Self { board: Board::new("fuzz_reader.py", word, heap, &arguments)? })
    }

    /// What Rust says, where the board says the same, or what the spec lets it say instead.
    ///
    /// # Errors
    /// When the board cannot be started.
    pub fn compare(&mut self, kind: Kind, input: &[u8]) -> Result<Result<String, Box<Difference>>, Error> {
        let rust = kind.rust(input);
        if kind == Kind::Version && std::str::from_utf8(input).is_err() {
            return Ok(Ok(rust)); // versions are taken out of lines that are UTF-8
        }
        let board = if kind == Kind::Pack {
            if input.len() < 4 || input[2..4] != [0, 0] {
                return Ok(Ok(rust)); // above 64 KB it takes long and says nothing more
            }
            self.board.ask(kind.name(), &[&verdict::pack(input).1[..], input].concat())?
        } else {
            self.board.ask(kind.name(), input)?
        };
        let lax =
            matches!(kind, Kind::Manifest | Kind::Signature) && verdict::may_differ(&rust, &board, input);
        if rust == board || lax || (kind == Kind::Journal && nobody_writes(input)) {
            return Ok(Ok(rust));
        }
        Ok(Err(Box::new(Difference { kind, input: input.to_vec(), rust, board })))
    }

    /// Takes away what a difference does not need, line by line and piece by piece.
    ///
    /// # Errors
    /// When the board cannot be started.
    pub fn shorten(&mut self, mut found: Box<Difference>) -> Result<Box<Difference>, Error> {
        let mut size = found.input.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at + size <= found.input.len() {
                let mut shorter = found.input.clone();
                drop(shorter.drain(at..at + size));
                let shorter = match found.kind {
                    Kind::Journal => repair::sum(&shorter),
                    Kind::Signature => repair::sign(&shorter),
                    _ => shorter,
                };
                match self.compare(found.kind, &shorter)? {
                    Err(other) if shorter.len() < found.input.len() && same(&other, &found) => found = other,
                    _ => at += size,
                }
            }
            size /= 2;
        }
        Ok(found)
    }

    /// Mutations of the vectors, until `until`, or so many: how many were compared, how many were accepted, and the
    /// differences.
    ///
    /// # Errors
    /// When the board cannot be started.
    pub fn run(
        &mut self,
        kind: Kind,
        seed: u64,
        rounds: usize,
        until: Option<Instant>,
    ) -> Result<(usize, usize, Vec<Difference>), Error> {
        let seeds = kind.seeds();
        let mut mutator = Mutator::new(seed, kind.words());
        let (mut count, mut accepted, mut differences) = (0, 0, Vec::<Difference>::new());
        while count < rounds && until.is_none_or(|until| Instant::now() < until) {
            let input = kind.input(&mut mutator, &seeds);
            count += 1;
            match self.compare(kind, &input)? {
                Ok(said) => accepted += usize::from(said.starts_with("valid")),
                Err(found) if differences.iter().any(|known| same(known, &found)) => {}
                Err(found) if found.board.starts_with("hangs") => {
                    differences.push(*found);
                    break; // each of them takes half a minute
                }
                Err(found) => differences.push(*self.shorten(found)?),
            }
        }
        Ok((count, accepted, differences))
    }
}

/// Whether it has a right checksum over what is no JSON, very large numbers, or minus nought: the spec lets
/// readers be as they are there. MicroPython's own JSON reader takes `{"a" 1}`.
fn nobody_writes(record: &[u8]) -> bool {
    let long = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    match Record::parse(record) {
        Err(JournalError::Json) => true,
        Err(JournalError::Seq | JournalError::Type(_)) => {
            record.windows(20).any(long) || record.windows(2).any(|two| two == b"-0")
        }
        _ => false,
    }
}

/// Whether two differences are of one sort: the first words are the same.
fn same(a: &Difference, b: &Difference) -> bool {
    let first =
        |text: &str| text.split(' ').take(if text.starts_with("raises") { 2 } else { 1 }).collect::<String>();
    first(&a.rust) == first(&b.rust) && first(&a.board) == first(&b.board)
}
